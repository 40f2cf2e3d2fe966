// A page of an app: sends its forms, and shows the newest answer.
"use strict";

const busyHtml = (text) => {
  const box = document.createElement("div");
  box.innerHTML = '<p class="busy"><span class="spinner"></span> <span></span></p><progress max="1" hidden></progress>';
  box.querySelector("p span:last-child").textContent = text;
  return box;
};

const tell = (box, news) => {
  box.querySelector("p span:last-child").textContent = news.message;
  const bar = box.querySelector("progress");
  bar.hidden = news.share == null;
  if (news.share != null) bar.value = news.share;
};

// Each line that the server sends, as it comes.
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const whole = rest.split("\n");
    rest = whole.pop();
    for (const line of whole) yield JSON.parse(line);
  }
}

async function post(url, body, signal, onNews) {
  const response = await fetch(url, { method: "POST", body, signal });
  if (!response.ok) throw new Error(await response.text());
  let last = null;
  for await (const one of lines(response)) {
    if (one.done) last = one;
    else onNews(one);
  }
  if (!last) throw new Error("The server stopped before it was done.");
  return last;
}

const mistake = (text) => {
  const line = document.createElement("p");
  line.className = "mistake";
  line.textContent = text;
  return line;
};

function milliseconds(answer) {
  const line = document.createElement("p");
  line.className = "time";
  const all = Math.round(answer.seconds * 1000).toLocaleString("en");
  const search = answer.search_seconds * 1000;
  line.textContent = `${all} ms` + (search ? `, of which the search took ${search.toFixed(search < 10 ? 1 : 0)} ms` : "");
  return line;
}

function watchForm(form) {
  const { name, number, largest } = form.dataset;
  const keep = "keep" in form.dataset;
  const result = document.getElementById(keep ? `result-${number}` : "result");
  const button = form.querySelector("button[type=submit]");
  let asked = null;

  async function ask(example) {
    const body = new FormData(form);
    for (const field of form.querySelectorAll("input[type=file]")) {
      const file = field.files[0] || field.recorded;
      if (file && file.size > largest) {
        result.replaceChildren(mistake(`${file.name} has ${Math.ceil(file.size / 1e6)} MB: choose a file of at most ${Math.round(largest / 1e6)} MB.`));
        return;
      }
      if (!field.files.length && field.recorded) body.set(field.name, field.recorded, field.recorded.name);
    }
    if (example !== undefined) {
      body.set("example", example);
      for (const field of form.querySelectorAll("input[type=file]")) body.delete(field.name);
    }
    if (asked) asked.abort();
    const mine = (asked = new AbortController());
    const busy = busyHtml("Working");
    if (keep) result.append(busy);
    else result.replaceChildren(busy);
    result.setAttribute("aria-busy", "true");
    button.disabled = true;
    const shown = document.createElement("div");
    try {
      const answer = await post(`/${name}/ask/${number}`, body, mine.signal, (news) => tell(busy, news));
      shown.innerHTML = answer.html;
      if (answer.seconds !== undefined && !shown.querySelector(".mistake")) shown.append(milliseconds(answer));
      for (const choice of shown.querySelectorAll("[data-ask]")) choice.replaceChildren(choiceButton(choice.dataset.ask));
    } catch (error) {
      if (mine.signal.aborted) {
        busy.remove();
        return; // a later question is being answered
      }
      shown.append(mistake(error instanceof TypeError ? "The server does not answer: is it still running?" : error.message));
    }
    busy.replaceWith(shown);
    result.removeAttribute("aria-busy");
    result.dataset.answers = Number(result.dataset.answers || 0) + 1;
    button.disabled = false;
    if (keep) {
      shown.scrollIntoView({ block: "nearest" });
      const line = form.querySelector("input[type=text]");
      if (line && !shown.querySelector(".mistake")) line.value = "";
    }
  }

  // A text that an answer offers to ask.
  function choiceButton(text) {
    const choice = document.createElement("button");
    choice.type = "button";
    choice.textContent = text;
    choice.addEventListener("click", () => {
      form.querySelector("input[type=text]").value = text;
      ask();
    });
    return choice;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.addEventListener("reset", () => {
    if (keep) result.replaceChildren();
  });

  for (const example of form.querySelectorAll("[data-example]")) {
    example.addEventListener("click", () => {
      for (const [field, values] of Object.entries(JSON.parse(example.dataset.values))) {
        const inputs = [...form.querySelectorAll("input, select, textarea")].filter((one) => one.name === field);
        inputs.forEach((one, i) => {
          if (one.type === "checkbox") one.checked = values.length > 0;
          else if (one.type !== "file") one.value = values[i] ?? "";
          one.dispatchEvent(new Event("change", { bubbles: true }));
        });
      }
      for (const chosen of form.querySelectorAll(".chosen")) chosen.textContent = example.textContent;
      for (const field of form.querySelectorAll("input[type=file]")) field.value = field.recorded = "";
      ask(example.dataset.example);
    });
  }

  if ("preview" in form.dataset) {
    const place = form.querySelector(".preview");
    let waiting = null;
    let latest = 0;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const turn = ++latest;
        try {
          const answer = await post(`/${name}/preview/${number}`, new FormData(form), undefined, () => {});
          if (turn === latest) place.innerHTML = answer.html;
        } catch {
          if (turn === latest) place.replaceChildren();
        }
      }, 250);
    });
    form.addEventListener("change", () => form.dispatchEvent(new Event("input")));
  }

  for (const range of form.querySelectorAll("input[type=range]")) {
    const shown = range.nextElementSibling;
    for (const kind of ["input", "change"]) range.addEventListener(kind, () => (shown.textContent = range.value));
  }
  for (const drop of form.querySelectorAll(".drop")) watchDrop(drop);
}

function watchDrop(drop) {
  const field = drop.querySelector("input[type=file]");
  const chosen = drop.querySelector(".chosen");
  field.addEventListener("change", () => {
    field.recorded = null;
    chosen.textContent = field.files.length ? field.files[0].name : "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change"));
  });
  const record = drop.querySelector(".record");
  if (record && navigator.mediaDevices && window.MediaRecorder) watchRecorder(record, field, chosen);
}

function watchRecorder(record, field, chosen) {
  let recorder = null;
  record.hidden = false;
  record.addEventListener("click", async () => {
    if (recorder) {
      recorder.stop();
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const parts = [];
      recorder = new MediaRecorder(stream);
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = async () => {
        for (const track of stream.getTracks()) track.stop();
        recorder = null;
        record.textContent = "Record";
        field.value = "";
        field.recorded = new File([await asWav(new Blob(parts))], "recording.wav", { type: "audio/wav" });
        chosen.textContent = "your recording";
      };
      recorder.start();
      record.textContent = "Stop";
      chosen.textContent = "recording …";
    } catch (error) {
      chosen.textContent = `no recording: ${error.message}`;
    }
  });
}

// 16-bit mono WAV, which every reader of sounds knows; browsers record in formats of their own.
async function asWav(blob) {
  const context = new AudioContext();
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  const samples = sound.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((one, i) => view.setUint8(at + i, one.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true);
  view.setUint32(28, 2 * sound.sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((one, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, one)), true));
  context.close();
  return view.buffer;
}

async function open(box) {
  const busy = busyHtml("Opening what is stored");
  box.replaceChildren(busy);
  try {
    const last = await post(`/${box.dataset.name}/open`, "", undefined, (news) => tell(busy, news));
    if (last.state === "ready") location.reload();
    else box.replaceChildren(mistake(last.message));
  } catch (error) {
    box.replaceChildren(mistake(error.message));
  }
}

for (const form of document.querySelectorAll("form[data-name]")) watchForm(form);
const opening = document.getElementById("opening");
if (opening) open(opening);
