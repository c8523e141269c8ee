// The way to the broker: MQTT 3.1.1 over WebSocket. Every attempt asks the page server anew, because a
// restarted bridge may have another port.

import mqtt, { type MqttClient } from "mqtt";
import { refuseToken, someToken, type Token } from "./access";
import { fetchConfig, type PageConfig } from "./config";
import { subscriptionsFor, wornSensors } from "./messages";
import { athleteOf } from "./route";

export type LinkState = "connecting" | "live" | "reconnecting" | "offline";

export interface Listener {
  onState(state: LinkState): void;
  onMessage(topicRoot: string, topic: string, text: string): void;
  /** There is a way back to the broker, until the next call with null. */
  onWay(way: Way | null): void;
}

/** The way back: topics are below the gym's root. */
export interface Way {
  hear(topic: string): Promise<void>;
  send(topic: string, text: string): Promise<void>;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 4_000;
const KEEPALIVE_S = 15;
const CONNECT_TIMEOUT_MS = 6_000;
/** CONNACK return codes of MQTT 3.1.1: bad user name or password, not authorized. */
const REFUSALS = [4, 5];

/** Keep a connection for as long as the page lives. */
export async function stayConnected(listener: Listener): Promise<never> {
  let waitMs = FIRST_WAIT_MS;
  let wasLive = false;
  listener.onState("connecting");
  for (;;) {
    try {
      const token = await someToken();
      const config = await fetchConfig();
      await holdSession(config, token, listener, () => {
        wasLive = true;
        waitMs = FIRST_WAIT_MS;
        listener.onState("live");
      });
      listener.onState(wasLive ? "reconnecting" : "connecting");
    } catch {
      listener.onState("offline");
    }
    await sleep(waitMs * (0.75 + Math.random() / 2));
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  }
}

/** One connection: resolves when it is over, whatever ended it. */
function holdSession(config: PageConfig, token: Token, listener: Listener, onLive: () => void): Promise<void> {
  const athlete = athleteOf(token.user);
  return new Promise((resolve) => {
    const client: MqttClient = mqtt.connect(config.websocketUrl, {
      protocolVersion: 4,
      clientId: `dashboard-${Math.random().toString(36).slice(2, 12)}`,
      username: token.user,
      password: token.secret,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      queueQoSZero: false,
      // The default runs its timers in a worker made from a blob, which the page's policy forbids.
      timerVariant: "native",
    });
    const decoder = new TextDecoder();
    const end = () => {
      listener.onWay(null);
      client.end(true);
      resolve();
    };
    client.on("connect", () => {
      const filters = Object.entries(subscriptionsFor(athlete)).map(
        ([below, qos]) => [`${config.topicRoot}/${below}`, { qos }] as const,
      );
      client.subscribe(Object.fromEntries(filters), (error) => {
        if (error) return end();
        listener.onWay(wayOf(client, config.topicRoot));
        onLive();
      });
    });
    const sensors = new Set<string>();
    client.on("message", (topic, payload) => {
      const text = decoder.decode(payload);
      listener.onMessage(config.topicRoot, topic, text);
      if (athlete === null || !topic.endsWith("/state")) return;
      // An athlete may read the sensors she or he wears, and only the state tells which these are.
      const worn = wornSensors(text).filter((sensor) => !sensors.has(sensor));
      for (const sensor of worn) {
        sensors.add(sensor);
        client.subscribe(`${config.topicRoot}/sensor/${sensor}/status`, { qos: 1 });
      }
    });
    client.on("error", (error) => {
      if ("code" in error && REFUSALS.includes(error.code as number)) refuseToken(token);
      end();
    });
    client.on("close", end);
  });
}

function wayOf(client: MqttClient, topicRoot: string): Way {
  return {
    hear: async (topic) => void (await client.subscribeAsync(`${topicRoot}/${topic}`, { qos: 1 })),
    send: async (topic, text) => void (await client.publishAsync(`${topicRoot}/${topic}`, text, { qos: 1 })),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
