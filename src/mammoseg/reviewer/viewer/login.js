"use strict";

document.querySelector("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("/login", { token: event.target.elements.token.value });
    location.assign("/");
  } catch (error) {
    document.querySelector("#wrong").textContent = error.message;
  }
});
