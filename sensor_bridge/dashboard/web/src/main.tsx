import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { openWithToken } from "./access";
import { stayConnected } from "./connection";
import { followAddress } from "./route";
import { askArchive } from "./session_records";
import { Store } from "./store";
import "./style/page.css";
import "./style/card.css";
import "./style/card_parts.css";
import "./style/coach_grid.css";
import "./style/coach_forms.css";
import "./style/coach_set.css";
import "./style/solo.css";
import "./style/phone.css";
import "./style/athlete.css";
import "./style/athlete_count.css";
import "./style/athlete_rest.css";
import "./style/archive.css";
import "./style/archive_session.css";
import "./style/archive_charts.css";
import "./style/motion.css";
import "./style/door.css";
import { showTheme } from "./theme";
import { App } from "./views/app";
import { Door } from "./views/token_page";

const root = document.getElementById("app");
if (root) {
  showTheme();
  openWithToken();
  followAddress();
  const store = new Store(askArchive);
  render(
    <Door>
      <App store={store} />
    </Door>,
    root,
  );
  void stayConnected({
    onState: (state) => store.setLink(state),
    onMessage: (topicRoot, topic, text) => store.receive(topicRoot, topic, text),
    onWay: (way) => store.setWay(way),
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && store.catchUp());
  document.addEventListener("resume", () => store.catchUp());
}
