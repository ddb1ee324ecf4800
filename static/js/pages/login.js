/** Signing in: filling in the people of a demo, showing the password, one submit at a time. */
import { login as strings } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { need } from "../ui/dom.js";

/** @type {HTMLFormElement} */
const form = need("#login-form");
/** @type {HTMLInputElement} */
const username = need("#username");
/** @type {HTMLInputElement} */
const password = need("#password");
/** @type {HTMLButtonElement} */
const submit = need("#sign-in");

/** @param {HTMLElement} person with what to fill in in its data */
function fillIn(person) {
  username.value = person.dataset.username ?? "";
  password.value = person.dataset.password ?? "";
  submit.focus();
  announce(strings.filled(username.value));
}

for (const person of document.querySelectorAll("[data-fill-in]")) {
  person.addEventListener("click", () => fillIn(/** @type {HTMLElement} */ (person)));
}

/** @type {HTMLButtonElement} */
const reveal = need("#reveal");
reveal.hidden = false;
reveal.addEventListener("click", () => {
  const shown = password.type === "password";
  password.type = shown ? "text" : "password";
  reveal.textContent = shown ? strings.hide : strings.show;
  reveal.setAttribute("aria-pressed", String(shown));
});

form.addEventListener("submit", () => {
  password.type = "password"; // or the browser offers to remember it as a plain field
  submit.setAttribute("aria-busy", "true");
  announce(strings.signingIn);
});

// Coming back by the browser's history finds the form as it was left.
window.addEventListener("pageshow", () => submit.removeAttribute("aria-busy"));
