import { useState } from "preact/hooks";
import { decimal, signed } from "../format";
import type { Repetition, Target } from "../payloads";
import { METRIC, TEXT } from "../strings";

type Measure = Exclude<
  {
    [K in keyof Repetition]: Repetition[K] extends number | null ? K : never;
  }[keyof Repetition],
  "set" | "repetition" | "revision"
>;

interface Row {
  field: Measure;
  label: string;
  unit: string;
  digits: number;
  withSign: boolean;
  aside: string;
  note: string;
  testId: string;
}

interface Props {
  repetition: Repetition | null;
  target: Target | null;
  currentSet: number;
}

/** The last repetition's numbers, each with its one-sigma uncertainty; a dash says why there is none. */
export function LastRepetition({ repetition, target, currentSet }: Props) {
  const [explained, setExplained] = useState<string | null>(null);
  const rows = rowsOf(repetition, target);
  return (
    <section class="last" aria-label={TEXT.lastRepetition}>
      <h3>
        {repetition ? TEXT.repetition(repetition.repetition) : TEXT.lastRepetition}
        {repetition && repetition.set !== currentSet && (
          <span class="muted"> {TEXT.fromThePreviousSet(repetition.set)}</span>
        )}
      </h3>
      <dl>
        {rows.map((row) => (
          <div class="metric" key={row.label} title={row.note || undefined}>
            <dt>{row.label}</dt>
            <dd>
              <Quantity
                row={row}
                repetition={repetition}
                onExplain={(why) => setExplained((old) => (old === why ? null : why))}
              />
            </dd>
            {row.aside && <span class="aside">{row.aside}</span>}
          </div>
        ))}
      </dl>
      {explained && (
        <p class="explained" role="status">
          {explained}
        </p>
      )}
    </section>
  );
}

function Quantity({
  row,
  repetition,
  onExplain,
}: {
  row: Row;
  repetition: Repetition | null;
  onExplain: (why: string) => void;
}) {
  const value = repetition?.[row.field] ?? null;
  if (value === null) {
    const why = repetition ? (repetition.reasons[row.field] ?? TEXT.noReason) : TEXT.noRepetition;
    const told = TEXT.reason(row.label, why);
    return (
      <button
        type="button"
        class="missing"
        data-testid={row.testId}
        title={told}
        aria-label={told}
        onClick={() => onExplain(told)}
      >
        –
      </button>
    );
  }
  const sd = repetition?.sd[row.field];
  const isProxy = repetition?.kind[row.field] === "proxy";
  return (
    <>
      <span class="value" data-testid={row.testId}>
        {isProxy && <abbr title={TEXT.estimated}>≈</abbr>}
        {row.withSign ? signed(value, row.digits) : decimal(value, row.digits)}
        <span class="unit">{row.unit === "°" ? "°" : ` ${row.unit}`}</span>
      </span>
      {sd !== undefined && <span class="sd">{TEXT.spread(sd, row.unit === "s" ? 2 : 1)}</span>}
    </>
  );
}

function rowsOf(repetition: Repetition | null, target: Target | null): Row[] {
  const movementS = repetition?.eccentric_movement_s ?? null;
  const right = repetition?.hip_flexion_right_range_deg ?? null;
  const left = repetition?.hip_flexion_left_range_deg ?? null;
  const hipField = (repetition?.side === "right" ? right !== null : left === null && right !== null)
    ? "hip_flexion_right_range_deg"
    : "hip_flexion_left_range_deg";
  const row = (field: Measure, { label, unit }: { label: string; unit: string }, rest: Partial<Row> & { testId: string }): Row => ({
    field,
    label,
    unit,
    digits: 0,
    withSign: false,
    aside: "",
    note: "",
    ...rest,
  });
  const eccentricTarget = target?.eccentric_s ?? null;
  return [
    row("eccentric_s", METRIC.eccentric, {
      digits: 1,
      testId: "last-eccentric",
      aside: eccentricTarget === null ? "" : TEXT.target(eccentricTarget, movementS),
      note: movementS === null ? "" : TEXT.movement(movementS),
    }),
    row("pelvic_tilt_range_deg", METRIC.tilt, { testId: "last-tilt-range" }),
    row(hipField, METRIC.hip, { testId: "last-hip-range" }),
    row("pelvic_obliquity_peak_deg", METRIC.level, { testId: "last-level", withSign: true }),
    row("lockout_deficit_deg", METRIC.lockout, { testId: "last-lockout", withSign: true }),
  ];
}
