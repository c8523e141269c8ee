import { token } from "../access";
import { ledTo, route } from "../route";
import type { Store } from "../store";
import { AthletePage } from "./athlete/athlete_page";
import { ProgressPage } from "./archive/progress_page";
import { SessionPage } from "./archive/session_page";
import { SessionsPage } from "./archive/sessions_page";
import { Grid } from "./coach/grid";
import { SetPage } from "./coach/set_page";
import { UnknownPage } from "./unknown_page";

/** The page that the address asks for and its user may see. */
export function App({ store }: { store: Store }) {
  const here = ledTo(route.value, token.value?.user ?? null);
  switch (here.view) {
    case "grid":
      return <Grid store={store} />;
    case "set":
      return <SetPage key={here.athlete} id={here.athlete} store={store} />;
    case "athlete":
      return <AthletePage key={here.athlete} id={here.athlete} store={store} />;
    case "sessions":
      return <SessionsPage store={store} />;
    case "session":
      return <SessionPage key={`${here.session} ${here.athlete}`} store={store} session={here.session} athlete={here.athlete} />;
    case "progress":
      return <ProgressPage key={here.athlete} store={store} athlete={here.athlete} />;
    default:
      return <UnknownPage store={store} />;
  }
}
