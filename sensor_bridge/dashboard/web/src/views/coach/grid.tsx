import { useEffect } from "preact/hooks";
import { paceFor } from "../../frames";
import type { Store } from "../../store";
import { TEXT } from "../../strings";
import { AthleteCard } from "../athlete_card";
import { Top } from "../top";

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
    <div class={`page ${solo ? "is-solo" : ""} is-${store.connection.value}`}>
      <Top store={store} about={places.length > 1 && <span class="muted">{TEXT.athletes(places.length)}</span>}>
        {looks > 0 && !solo && <span class="looks">△ {TEXT.needLook(looks)}</span>}
      </Top>
      {places.length === 0 ? (
        <main class="nobody">
          <p>{TEXT.nobody}</p>
          <p class="muted">{TEXT.nobodyHint}</p>
        </main>
      ) : (
        <main class="cards">
          {places.map(({ athlete }) => (
            <AthleteCard key={athlete} id={athlete} store={store} solo={solo} />
          ))}
        </main>
      )}
    </div>
  );
}
