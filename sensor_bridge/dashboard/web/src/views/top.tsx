import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { token } from "../access";
import { athleteOf, linkTo } from "../route";
import type { Store } from "../store";
import { CONNECTION_HINT, TEXT } from "../strings";
import { switchTheme, theme } from "../theme";
import { ConnectionLamp } from "./connection_lamp";

interface Props {
  store: Store;
  /** What this page has to say about itself, beside the product's name. */
  about?: ComponentChildren;
  /** What to do or to know, at the right. */
  children?: ComponentChildren;
}

/** The head of every page: where one is, whether what is seen is live, and what the time is. */
export function Top({ store, about, children }: Props) {
  const connection = store.connection.value;
  const unread = store.unread.value;
  const alarms = store.alarms.value;
  const isAthlete = athleteOf(token.value?.user ?? null) !== null;
  return (
    <>
      <header class="top">
        <h1>
          <a href={linkTo({ view: "grid" })}>{TEXT.product}</a>
        </h1>
        {about}
        <span class="spacer" />
        {children}
        {unread > 0 && <span class="muted">{TEXT.unread(unread)}</span>}
        <ConnectionLamp connection={connection} />
        <TimeOfDay />
        <ThemeSwitch />
      </header>
      {connection !== "live" && connection !== "connecting" && (
        <p class="banner" role="alert">
          {CONNECTION_HINT[connection]}
        </p>
      )}
      {connection === "live" && alarms.length > 0 && !isAthlete && (
        <p class="banner" data-testid="bridge-alarms" aria-live="polite">
          {TEXT.bridgeAlarms(alarms)}
        </p>
      )}
    </>
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
