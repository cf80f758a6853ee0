// Sends the token as JSON to this server only; the answer keeps it in a cookie that scripts cannot read.
"use strict";

const said = document.getElementById("said");

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  if (answer.ok) return true;
  const problem = await answer.json().catch(() => ({}));
  said.textContent = problem.detail || `The server answered ${answer.status}.`;
  return false;
}

document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = document.getElementById("token");
  if (await send("/login", { token: field.value })) {
    field.value = "";
    if (location.pathname === "/login") location.assign("/");
    else location.reload();
  }
});

document.getElementById("logout").addEventListener("click", async () => {
  if (await send("/logout")) said.textContent = "This browser holds no token any more.";
});
