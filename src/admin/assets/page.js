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

// Times: in the reader's own zone, with the exact one on hover.
const nearby = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const faraway = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
  hourCycle: "h23",
});

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const isToday = moment.toDateString() === new Date().toDateString();
    time.textContent = (isToday ? nearby : faraway).format(moment);
    time.title = `${time.dateTime} (${faraway.format(moment)} here)`;
  }
}
localTimes(document);

// Files may be dropped on the text they would be pasted into.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const file = form.querySelector("input[type=file]");
  const show = (isOver) => form.classList.toggle("over", isOver);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    show(true);
  });
  form.addEventListener("dragleave", () => show(false));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    if (event.dataTransfer.files.length === 0) return;
    file.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

// Events as they arrive.
const live = document.querySelector("[data-live]");
if (live !== null) {
  const KEPT_ROWS = 200;
  const state = live.querySelector("[data-live-state]");
  const pause = live.querySelector("[data-live-pause]");
  const rows = document.querySelector("[data-live-rows]");
  const template = document.querySelector("[data-live-template]");
  const held = [];
  live.hidden = false;

  const insert = (event) => {
    const row = template.content.firstElementChild.cloneNode(true);
    for (const name of ["hookName", "eventName", "hooktype", "from", "about", "payload"])
      row.querySelector(`[data-f=${name}]`).textContent = event[name];
    row.querySelector("[data-f=link]").href = `/events/${event.sequence}`;
    row.querySelector("time").dateTime = event.time;
    localTimes(row);
    row.classList.add("new");
    rows.prepend(row);
    document.querySelector("[data-live-table]").hidden = false;
    document.querySelector(".empty")?.remove();
    while (rows.children.length > KEPT_ROWS) rows.lastElementChild.remove();
  };
  const say = (text, isUp) => {
    state.textContent = text;
    live.classList.toggle("up", isUp);
  };
  const isHeld = () => pause.getAttribute("aria-pressed") === "true";
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isHeld()));
    pause.textContent = isHeld() ? "Go on" : "Hold";
    if (!isHeld()) while (held.length > 0) insert(held.shift());
    say(isHeld() ? "held" : "live", !isHeld());
  });
  const source = new EventSource(live.dataset.live);
  source.addEventListener("open", () => say("live", true));
  source.addEventListener("error", () => {
    const isOver = source.readyState === EventSource.CLOSED;
    say(isOver ? "signed out; load the page again" : "not connected; trying again", false);
  });
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (!isHeld()) return insert(event);
    held.push(event);
    say(`held, ${held.length} new`, false);
  });
  let passed = 0;
  source.addEventListener("passed", ({ data }) => {
    passed += Number(data);
    say(`live, ${passed} more than can be shown: filter, or load the page again`, true);
  });
  // A page that is left must not keep its place: browsers allow six connections to one server.
  addEventListener("pagehide", () => source.close());
}

// One box for all boxes of a list.
const all = document.querySelector("[data-check-all]");
if (all !== null) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("input[name=sequence]")) box.checked = all.checked;
  });
}
