import type { ComponentChildren } from "preact";
import { sceneOf } from "../../athlete_scene";
import { canFillScreen, isFullScreen, switchFullScreen } from "../../full_screen";
import type { Athlete } from "../../gym";
import type { SensorStatus } from "../../payloads";
import { canTick, switchTick, ticking } from "../../sound";
import type { Store } from "../../store";
import { exerciseName, TEXT } from "../../strings";
import { ATHLETE } from "../../strings/athlete";
import { tempoText } from "../../tempo";
import { switchTheme, theme } from "../../theme";
import { loadText, loadUnit, switchLoadUnit } from "../../units";
import { ConnectionLamp } from "../connection_lamp";
import { Sensors } from "../sensors";

interface Props {
  athlete: Athlete | null;
  sensors: SensorStatus[];
  store: Store;
}

/** What is being done, whether it is live, and the few things that can be switched. */
export function AthleteHead({ athlete, sensors, store }: Props) {
  const state = athlete?.state?.data ?? null;
  const target = state?.target ?? null;
  // Between sets the number is that of the next one already, and the summary speaks of the one before.
  const set = athlete && sceneOf(athlete) !== "resting" ? athlete.progress.set : 0;
  const tempo = tempoText(target);
  const connection = store.connection.value;
  const facts = [
    athlete?.name,
    set > 0 ? TEXT.set(set, target?.sets ?? null) : null,
    target?.load_kg == null ? null : loadText(target.load_kg),
  ].filter((fact) => fact != null);
  return (
    <header class="athlete-head">
      <div class="athlete-what">
        <h1>{state ? exerciseName(state.exercise, state.side) : TEXT.product}</h1>
        <p class="muted">
          {facts.join(" · ")}
          {tempo && (
            <>
              {" · "}
              <abbr title={ATHLETE.tempoLabel}>{tempo}</abbr>
            </>
          )}
        </p>
      </div>
      <div class="athlete-links">
        <ConnectionLamp connection={connection} />
        {athlete && <Sensors sensors={sensors} withWords={false} />}
      </div>
      <Tools hasLoad={target?.load_kg != null} />
    </header>
  );
}

function Tools({ hasLoad }: { hasLoad: boolean }) {
  const nextTheme = theme.value === "dark" ? "light" : "dark";
  const unit = loadUnit.value;
  return (
    <div class="athlete-tools">
      {canTick && (
        <Tool label={ticking.value ? ATHLETE.tickOff : ATHLETE.tickOn} pressed={ticking.value} onPress={switchTick}>
          <Icon>
            <path d="M5 21h14L15 3H9zM6.3 15h11.4M12 15l5.5-8.5" />
            {!ticking.value && <path d="M2 3l20 19" />}
          </Icon>
        </Tool>
      )}
      {canFillScreen() && (
        <Tool
          label={isFullScreen.value ? ATHLETE.leaveFullScreen : ATHLETE.fillScreen}
          pressed={isFullScreen.value}
          onPress={switchFullScreen}
        >
          <Icon>
            <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />
          </Icon>
        </Tool>
      )}
      <Tool label={ATHLETE.theme(nextTheme)} onPress={switchTheme}>
        <Icon>
          <circle cx="12" cy="12" r="8" />
          <path d="M12 4a8 8 0 0 1 0 16z" class="filled" />
        </Icon>
      </Tool>
      {hasLoad && (
        <Tool label={ATHLETE.unit(unit)} onPress={switchLoadUnit}>
          {unit}
        </Tool>
      )}
    </div>
  );
}

interface ToolProps {
  label: string;
  pressed?: boolean;
  onPress: () => void;
  children: ComponentChildren;
}

function Tool({ label, pressed, onPress, children }: ToolProps) {
  return (
    <button type="button" class={`tool ${pressed ? "is-on" : ""}`} aria-label={label} title={label} onClick={onPress}>
      {children}
    </button>
  );
}

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {children}
    </svg>
  );
}
