import type { Verdict } from "../verdict";
import { MarkSign } from "./mark_sign";

/** What is to be said: trouble with sensors first, then the last repetition. */
export function VerdictLines({ verdict }: { verdict: Verdict }) {
  return (
    <footer class="verdict" data-testid="verdict">
      {verdict.trouble && (
        <p class="trouble">
          <span class="mark" aria-hidden="true">
            △
          </span>
          {verdict.trouble}
        </p>
      )}
      <p>
        {verdict.mark && <MarkSign mark={verdict.mark} />}
        {verdict.sentence}
      </p>
    </footer>
  );
}
