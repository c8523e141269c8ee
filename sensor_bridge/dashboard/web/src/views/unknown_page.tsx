import { linkTo } from "../route";
import type { Store } from "../store";
import { TEXT } from "../strings";
import { Top } from "./top";

/** For an address that leads nowhere. */
export function UnknownPage({ store }: { store: Store }) {
  return (
    <div class={`page is-${store.connection.value}`}>
      <Top store={store} />
      <main class="nobody">
        <p>{TEXT.unknownPage}</p>
        <p>
          <a href={linkTo({ view: "grid" })}>{TEXT.toTheGrid}</a>
        </p>
      </main>
    </div>
  );
}
