// Comfort for browsers that run scripts. Every page works without this file.

for (const button of document.querySelectorAll("button.copy")) {
  const source = button.parentElement?.querySelector("[data-copy-text]");
  if (source === null || navigator.clipboard === undefined) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(source.textContent).then(
      () => copied(button),
      () => announce("The browser did not allow copying"),
    );
  });
}

function copied(button) {
  const label = button.textContent;
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => (button.textContent = label), 1500);
}

/** Says something to screen readers. */
function announce(text) {
  let place = document.getElementById("announcer");
  if (place === null) {
    place = document.createElement("div");
    place.id = "announcer";
    place.className = "visually-hidden";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.textContent = text;
}
