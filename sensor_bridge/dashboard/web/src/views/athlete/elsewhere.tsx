import { token } from "../../access";
import { athleteOf, linkTo } from "../../route";
import { TEXT } from "../../strings";
import { ATHLETE } from "../../strings/athlete";

/** Where one can go from here; shown when nobody is training. */
export function Elsewhere({ athlete }: { athlete: string }) {
  const isCoach = athleteOf(token.value?.user ?? null) === null;
  return (
    <nav class="elsewhere" aria-label={ATHLETE.elsewhere}>
      {isCoach && <a href={linkTo({ view: "grid" })}>{TEXT.toTheGrid}</a>}
      <a href={linkTo({ view: "sessions" })}>{ATHLETE.sessions}</a>
      <a href={linkTo({ view: "progress", athlete })}>{ATHLETE.progress}</a>
    </nav>
  );
}
