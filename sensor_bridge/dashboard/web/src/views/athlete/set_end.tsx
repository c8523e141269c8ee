import { useRef } from "preact/hooks";
import { restSinceMs, summaryInView } from "../../athlete_scene";
import { usePainter } from "../../frames";
import type { Athlete } from "../../gym";
import type { Target } from "../../payloads";
import { reportOn, type SetReport, type SummaryRow } from "../../set_summary";
import { MARK } from "../../strings";
import { ATHLETE, bestLine, faultLine, minutes, ROW, rowAmount, rowAside, rowSpread } from "../../strings/athlete";
import { MarkSign } from "../mark_sign";
import { RepetitionStrip } from "../repetition_strip";

const MOST_FAULTS = 3;

interface Props {
  athlete: Athlete;
  target: Target | null;
}

/** Between sets: how long the rest has been, and what the set came to. */
export function SetEnd({ athlete, target }: Props) {
  const report = reportOn(athlete.repetitions, summaryInView(athlete), target);
  if (!report) return null;
  const isLying = athlete.state?.data.exercise.includes("bridge") ?? false;
  return (
    <>
      <section class="rest">
        <p class="rest-title">
          <strong>
            <MarkSign mark={report.mark} />{" "}
            {titleOf(report, target)}
          </strong>
          <span>{ATHLETE.repetitionsDone(report.repetitions, report.asked)}</span>
        </p>
        <p class="rest-clock">
          <span class="rest-word">{ATHLETE.rest}</span>
          <RestClock athlete={athlete} />
        </p>
      </section>
      <section class="figures" aria-label={ATHLETE.summary} data-testid="set-summary">
        <dl>
          {report.rows.map((row) => (
            <Figure key={row.name} row={row} />
          ))}
        </dl>
      </section>
      <RepetitionStrip repetitions={athlete.repetitions} target={target} />
      <section class="work-on" aria-label={ATHLETE.faults} aria-live="polite" data-testid="set-faults">
        <FaultList report={report} target={target} isLying={isLying} />
      </section>
    </>
  );
}

function titleOf(report: SetReport, target: Target | null): string {
  const sets = target?.sets ?? null;
  if (sets === null) return ATHLETE.setDone(report.set);
  return report.set >= sets ? ATHLETE.allSetsDone(sets) : ATHLETE.setDoneOf(report.set, sets);
}

function Figure({ row }: { row: SummaryRow }) {
  const amount = rowAmount(row);
  const aside = amount === null ? row.reason : rowAside(row);
  return (
    <div class={`figure-row ${amount === null ? "is-missing" : ""}`} data-testid={`summary-${row.name}`}>
      <dt>{ROW[row.name].label}</dt>
      <dd>
        {amount === null ? (
          ATHLETE.notMeasured
        ) : (
          <>
            <span class="figure-amount">{amount}</span>
            <span class="figure-sd">{rowSpread(row)}</span>
          </>
        )}
      </dd>
      {aside && <dd class="figure-aside">{aside}</dd>}
    </div>
  );
}

function FaultList({ report, target, isLying }: { report: SetReport; target: Target | null; isLying: boolean }) {
  const shown = report.faults.slice(0, MOST_FAULTS);
  const rest = report.faults.length - shown.length;
  const best = bestLine(report);
  return (
    <ul>
      {shown.map((fault) => (
        <li key={fault.repetition}>
          <MarkSign mark={fault.mark} />
          {faultLine(fault, target, isLying)}
        </li>
      ))}
      {rest > 0 && <li class="muted">{ATHLETE.furtherFaults(rest)}</li>}
      {(report.faults.length === 0 || best) && (
        <li>
          <span class="mark mark-good" aria-hidden="true">
            {MARK.good.symbol}
          </span>
          {[report.faults.length === 0 ? ATHLETE.nothingToMend : null, best].filter(Boolean).join(" ")}
        </li>
      )}
    </ul>
  );
}

/** Counts up from the end of the last repetition, on the bridge's clock where it is known. */
function RestClock({ athlete }: { athlete: Athlete }) {
  const box = useRef<HTMLSpanElement>(null);
  usePainter(box, (now) => {
    const sinceMs = restSinceMs(athlete);
    if (!box.current) return;
    const text = sinceMs === null ? "–" : minutes(((athlete.clock.bridgeTime(now) ?? now) - sinceMs) / 1000);
    if (box.current.textContent !== text) box.current.textContent = text;
  }, 6);
  return (
    <span class="rest-time" role="timer" aria-live="off" aria-label={ATHLETE.restLabel} data-testid="rest-time" ref={box}>
      –
    </span>
  );
}
