import type { Mark } from "../judgement";
import { MARK } from "../strings";

/** The verdict as a sign with its word, so that colour never says it alone. */
export function MarkSign({ mark }: { mark: Mark }) {
  return (
    <span class={`mark mark-${mark}`} role="img" aria-label={MARK[mark].word}>
      {MARK[mark].symbol}
    </span>
  );
}
