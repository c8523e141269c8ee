import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { lastDone, lineOn, repetitionNow, type Scene, sceneOf } from "../../athlete_scene";
import { paceFor, usePainter } from "../../frames";
import { followFullScreen } from "../../full_screen";
import type { Athlete } from "../../gym";
import type { SensorStatus } from "../../payloads";
import { askedFor } from "../../phase_start";
import type { Store } from "../../store";
import { CONNECTION_HINT, phaseName, TEXT } from "../../strings";
import { ATHLETE, AWAKE, tempoLine } from "../../strings/athlete";
import { stayAwake, wakefulness } from "../../wake_lock";
import { FigureView } from "../figure_view";
import { Level } from "../level";
import { MarkSign } from "../mark_sign";
import { AthleteHead } from "./athlete_head";
import { BigCount } from "./big_count";
import { DepthBar } from "./depth_bar";
import { Elsewhere } from "./elsewhere";
import { SetEnd } from "./set_end";

const SILENT_AFTER_MS = 2_500;

/** One athlete, for a phone on the floor or a TV: everything large, nothing to touch while training. */
export function AthletePage({ id, store }: { id: string; store: Store }) {
  void store.version(id).value;
  const athlete = store.gym.athletes.get(id) ?? null;
  const sensors = athlete ? store.gym.sensorsOf(id) : [];
  const scene = athlete ? sceneOf(athlete) : null;
  const connection = store.connection.value;
  const page = useRef<HTMLDivElement>(null);

  useEffect(() => paceFor(1), []);
  useEffect(stayAwake, []);
  useEffect(followFullScreen, []);
  useEffect(() => {
    document.title = TEXT.title(athlete?.name ?? id);
  });

  return (
    <div class={`athlete is-${connection}`} ref={page} data-scene={scene ?? "waiting"} data-testid="athlete-page">
      <AthleteHead athlete={athlete} sensors={sensors} store={store} />
      <Alarm store={store} athlete={athlete} page={page} />
      <main class="athlete-main" aria-label={ATHLETE.pageLabel(athlete?.name ?? id)}>
        {athlete && scene ? (
          <>
            {scene === "resting" ? (
              <>
                <SetEnd athlete={athlete} target={athlete.state?.data.target ?? null} />
                <Elsewhere athlete={id} />
              </>
            ) : (
              <Work athlete={athlete} scene={scene} />
            )}
            <Say athlete={athlete} sensors={sensors} scene={scene} />
          </>
        ) : (
          <div class="nobody">
            <p>{ATHLETE.waiting(id)}</p>
            <p class="muted">{ATHLETE.waitingHint}</p>
            <Elsewhere athlete={id} />
          </div>
        )}
      </main>
      <AwakeNote />
    </div>
  );
}

interface SceneProps {
  athlete: Athlete;
  sensors: SensorStatus[];
  scene: Scene;
}

const WORDS: Record<Scene, string | null> = {
  calibrating: ATHLETE.standStill,
  ready: ATHLETE.ready,
  working: null,
  resting: null,
};

function Work({ athlete, scene }: Omit<SceneProps, "sensors">) {
  const target = athlete.state?.data.target ?? null;
  const { phase, posture } = athlete.progress;
  const isFreeBottom = phase === "bottom" && posture !== "supine" && askedFor(phase, target) === null;
  return (
    <>
      <p class="athlete-caption">
        <span data-testid="repetition">{repetitionText(athlete)}</span>{" "}
        <span class={`phase phase-${phase}`} data-testid="phase" data-phase={phase}>
          {isFreeBottom ? ATHLETE.bottom : phaseName(phase, posture)}
        </span>
      </p>
      <BigCount athlete={athlete} target={target} done={lastDone(athlete)} words={wordsOf(athlete, scene)} />
      <DepthBar athlete={athlete} target={target} />
      <div class="athlete-figure">
        <FigureView athlete={athlete} />
        <Level athlete={athlete} />
      </div>
    </>
  );
}

/** Before the first repetition there is nothing to count or to call. */
function wordsOf(athlete: Athlete, scene: Scene): string | null {
  return scene === "working" && repetitionNow(athlete) === 0 ? ATHLETE.ready : WORDS[scene];
}

function repetitionText(athlete: Athlete): string {
  const number = repetitionNow(athlete);
  const total = athlete.state?.data.target?.repetitions ?? null;
  if (number === 0) return total === null ? "" : ATHLETE.repetitionsAsked(total);
  return total === null ? ATHLETE.repetition(number) : ATHLETE.repetitionOf(number, total);
}

/** The one line: what happened, how much, what to do; and what spoils the numbers. */
function Say({ athlete, sensors, scene }: SceneProps) {
  const { mark, sentence, trouble } = lineOn(athlete, sensors);
  const hint = hintOn(athlete, scene, sentence);
  // At rest the list of the set says it already.
  const said = scene === "resting" ? "" : (hint ?? sentence);
  return (
    <footer class="say" aria-live="polite" data-testid="verdict">
      {trouble && (
        <p class="trouble">
          <span class="mark" aria-hidden="true">
            △
          </span>
          {trouble}
        </p>
      )}
      {said && (
        <p>
          {mark && !hint && <MarkSign mark={mark} />}
          {said}
        </p>
      )}
    </footer>
  );
}

/** What is to be done, where nothing has been done yet. */
function hintOn(athlete: Athlete, scene: Scene, sentence: string): string | null {
  if (scene === "calibrating") return ATHLETE.standStillHint;
  if (scene !== "ready" && sentence !== "") return null;
  const state = athlete.state?.data ?? null;
  return tempoLine(state?.target ?? null, state?.exercise.includes("bridge") ?? false) ?? ATHLETE.readyHint;
}

/** What is wrong with the way here: a lost connection, or a bridge that says nothing. */
function Alarm({ store, athlete, page }: { store: Store; athlete: Athlete | null; page: RefObject<HTMLDivElement | null> }) {
  const connection = store.connection.value;
  const silence = useRef<HTMLParagraphElement>(null);
  usePainter(page, (now) => {
    const arrivedMs = athlete?.liveArrivedMs ?? null;
    if (!silence.current || !page.current) return;
    const silentMs = arrivedMs === null ? 0 : now - arrivedMs;
    const text = silentMs > SILENT_AFTER_MS ? TEXT.silent(Math.floor(silentMs / 1000)) : "";
    if (silence.current.textContent !== text) silence.current.textContent = text;
    page.current.classList.toggle("is-silent", text !== "");
  }, 6);
  return (
    <div class="athlete-alarm">
      {connection !== "live" && connection !== "connecting" && <p role="alert">{CONNECTION_HINT[connection]}</p>}
      <p data-testid="silence" ref={silence} />
    </div>
  );
}

/** Said for as long as the screen may go dark. */
function AwakeNote() {
  const text = AWAKE[wakefulness.value];
  if (!text) return null;
  return (
    <p class="athlete-awake" data-testid="awake">
      {text}
    </p>
  );
}
