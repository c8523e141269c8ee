import { CONNECTION, CONNECTION_HINT, type ConnectionState } from "../strings";

/** Whether the broker is reached, with a lamp. */
export function ConnectionLamp({ connection }: { connection: ConnectionState }) {
  return (
    <span class="connection" role="status" title={CONNECTION_HINT[connection]}>
      <span class="lamp" aria-hidden="true" />
      <span data-testid="connection-state" data-state={connection}>
        {CONNECTION[connection]}
      </span>
    </span>
  );
}
