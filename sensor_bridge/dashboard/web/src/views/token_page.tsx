import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { question, readToken, useToken } from "../access";
import { TOKEN } from "../strings";

/** Shows the page, or asks for the token that opens it. */
export function Door({ children }: { children: ComponentChildren }) {
  return question.value === null ? <>{children}</> : <TokenPage />;
}

function TokenPage() {
  const [text, setText] = useState("");
  const [malformed, setMalformed] = useState(false);
  const complaint = malformed ? TOKEN.malformed : question.value === "refused" ? TOKEN.refused : null;

  const submit = (event: Event) => {
    event.preventDefault();
    const found = readToken(text);
    setMalformed(found === null);
    if (found) useToken(found);
  };

  return (
    <main class="door">
      <form class="door-card" onSubmit={submit}>
        <h1>{TOKEN.title}</h1>
        <p class="muted">{TOKEN.why}</p>
        <label for="token">{TOKEN.label}</label>
        <input
          id="token"
          type="text"
          name="token"
          value={text}
          placeholder={TOKEN.example}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          autofocus
          aria-invalid={complaint !== null}
          aria-describedby={complaint === null ? "token-where" : "token-complaint"}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {complaint && (
          <p class="door-complaint" id="token-complaint" role="alert">
            {complaint}
          </p>
        )}
        <button type="submit">{TOKEN.open}</button>
        <p class="muted" id="token-where">
          {TOKEN.where}
        </p>
      </form>
    </main>
  );
}
