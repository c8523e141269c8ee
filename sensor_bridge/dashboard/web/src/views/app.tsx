import { useEffect, useState } from "preact/hooks";
import { paceFor } from "../frames";
import type { Store } from "../store";
import { CONNECTION, CONNECTION_HINT, TEXT } from "../strings";
import { switchTheme, theme } from "../theme";
import { AthleteCard } from "./athlete_card";

export function App({ store }: { store: Store }) {
  const places = store.places.value;
  const connection = store.connection.value;
  const unread = store.unread.value;
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
    <div class={`page ${solo ? "is-solo" : ""} is-${connection}`}>
      <header class="top">
        <h1>{TEXT.product}</h1>
        {places.length > 1 && <span class="muted">{TEXT.athletes(places.length)}</span>}
        <span class="spacer" />
        {looks > 0 && !solo && <span class="looks">△ {TEXT.needLook(looks)}</span>}
        {unread > 0 && <span class="muted">{TEXT.unread(unread)}</span>}
        <span class="connection" role="status" title={CONNECTION_HINT[connection]}>
          <span class="lamp" aria-hidden="true" />
          <span data-testid="connection-state" data-state={connection}>
            {CONNECTION[connection]}
          </span>
        </span>
        <TimeOfDay />
        <ThemeSwitch />
      </header>
      {connection !== "live" && connection !== "connecting" && (
        <p class="banner" role="alert">
          {CONNECTION_HINT[connection]}
        </p>
      )}
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

function ThemeSwitch() {
  return (
    <button type="button" class="theme" aria-label={TEXT.switchTheme(theme.value)} onClick={switchTheme}>
      {TEXT.themeToCome(theme.value)}
    </button>
  );
}

function TimeOfDay() {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const text = now.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return (
    <time class="muted clock" dateTime={now.toISOString()}>
      {text}
    </time>
  );
}
