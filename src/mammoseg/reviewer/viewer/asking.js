// Asking the server that the page is from.

/** Its answer as a value. Throws an Error with its words where it refuses. */
async function ask(path, value) {
  const posted = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) };
  let answer;
  try {
    answer = await fetch(path, value === undefined ? {} : posted);
  } catch {
    throw new Error("The server does not answer. Try again.");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `The server answers ${answer.status}.`);
  return said;
}
