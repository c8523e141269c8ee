import { useEffect, useRef, useState } from "preact/hooks";
import { paceFor } from "../../frames";
import { GAP, layoutFor } from "../../layout";
import { linkTo } from "../../route";
import { sortBy, sortCards } from "../../sorting";
import type { Store } from "../../store";
import { COACH, TEXT } from "../../strings";
import { ARCHIVE } from "../../strings/archive";
import { AthleteCard } from "../athlete_card";
import { Top } from "../top";
import { Announce } from "./announce";
import { Tile } from "./tile";

/** All athletes at a glance; one alone has the whole screen. */
export function Grid({ store }: { store: Store }) {
  const places = store.places.value;
  const looks = places.filter((place) => place.needsLook).length;
  const solo = places.length === 1;

  useEffect(() => paceFor(places.length), [places.length]);
  useEffect(() => {
    const only = solo ? store.gym.athletes.get(places[0]!.athlete) : undefined;
    document.title = only
      ? TEXT.title(only.name)
      : places.length > 1
        ? TEXT.title(TEXT.athletes(places.length))
        : TEXT.product;
  });

  return (
    <div class={`page page-grid ${solo ? "is-solo" : ""} is-${store.connection.value}`}>
      <Top
        store={store}
        about={
          <>
            {places.length > 1 && <span class="muted">{TEXT.athletes(places.length)}</span>}
            <a class="archive-link" href={linkTo({ view: "sessions" })}>
              {ARCHIVE.sessions}
            </a>
          </>
        }
      >
        {!solo && places.length > 0 && (
          <>
            {looks > 0 && <span class="looks">△ {TEXT.needLook(looks)}</span>}
            <SortSwitch />
          </>
        )}
      </Top>
      {places.length === 0 ? (
        <main class="nobody">
          <p>{TEXT.nobody}</p>
          <p class="muted">{TEXT.nobodyHint}</p>
        </main>
      ) : (
        <Cards store={store} athletes={places.map((place) => place.athlete)} />
      )}
      <Announce store={store} athletes={places.map((place) => place.athlete)} />
    </div>
  );
}

function Cards({ store, athletes }: { store: Store; athletes: readonly string[] }) {
  const box = useRef<HTMLElement>(null);
  const [room, setRoom] = useState({ width: window.innerWidth - 48, height: window.innerHeight - 80 });
  useEffect(() => {
    const measure = () => {
      if (!box.current) return;
      const { top, width } = box.current.getBoundingClientRect();
      const height = window.innerHeight - (top + window.scrollY) - 14;
      setRoom((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const sizes = new ResizeObserver(measure);
    sizes.observe(document.documentElement);
    return () => sizes.disconnect();
  }, [store.connection.value]);
  useEffect(() => {
    // Whoever reaches for a card with a finger or the keyboard finds it where it was.
    const release = () => (store.isOrderHeld = false);
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
    return () => {
      release();
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
    };
  }, [store]);

  const { density, columns, height, scale } = layoutFor(athletes.length, room);
  const style =
    density === "solo" ? {} : { "--columns": columns, "--row": `${height}px`, "--scale": scale, "--card-gap": `${GAP[density]}px` };
  return (
    <main
      class={`cards cards-${density}`}
      data-density={density}
      style={style}
      ref={box}
      onPointerDown={() => (store.isOrderHeld = true)}
      onFocusIn={(event) => (store.isOrderHeld = (event.target as Element).matches(":focus-visible"))}
      onFocusOut={() => (store.isOrderHeld = false)}
    >
      {athletes.map((athlete) =>
        density === "solo" || density === "full" ? (
          <AthleteCard key={athlete} id={athlete} store={store} solo={density === "solo"} />
        ) : (
          <Tile key={athlete} id={athlete} store={store} density={density} />
        ),
      )}
    </main>
  );
}

function SortSwitch() {
  return (
    <div class="switch" role="group" aria-label={COACH.sortBy}>
      {(["attention", "name"] as const).map((by) => (
        <button type="button" key={by} aria-pressed={sortBy.value === by} onClick={() => sortCards(by)}>
          {COACH.sort[by]}
        </button>
      ))}
    </div>
  );
}
