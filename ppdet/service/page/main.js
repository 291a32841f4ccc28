// The page: connects files, webcam and controls with the service and the canvas.

import { Scene } from "/page/canvas.js";
import { KeyNeeded, model, poses, useKey, video as poseVideo } from "/page/service.js";
import { Rate, openWebcam, pictureOf, playVideo, watch } from "/page/sources.js";

const part = (id) => document.getElementById(id);
const scene = new Scene(part("canvas"));
const video = part("video");
let ending = new AbortController();
let stopShowing = () => {};
let result = null; // what "Download JSON" saves
let fileName = "poses";
let retry = null; // what to do again with an API key
let facing = "user";

function say(text) {
  part("status").textContent = text;
}

function showError(error) {
  if (error.name === "AbortError") return;
  part("progress").hidden = true;
  if (error instanceof KeyNeeded) part("key-form").hidden = false;
  part("error").textContent = error.message;
  part("error").hidden = false;
  say("");
}

/** End what runs, and clear the page for something new. */
function reset() {
  ending.abort();
  ending = new AbortController();
  stopShowing();
  stopShowing = () => {};
  for (const id of ["error", "progress", "stop", "play", "turn", "tip", "key-form"]) part(id).hidden = true;
  setResult(null);
  scene.clear();
  part("canvas").hidden = true;
  part("hint").hidden = false;
  part("stage").classList.remove("filled");
  say("");
  return ending.signal;
}

function setResult(value) {
  result = value;
  part("download").disabled = value === null;
}

function show(picture, width, height, people) {
  part("canvas").hidden = false;
  part("hint").hidden = true;
  part("stage").classList.add("filled");
  scene.show(picture, width, height, people);
}

function counted(people) {
  return people.length === 1 ? "1 person" : `${people.length} people`;
}

/** Run something that may fail; with an API key it can be run again. */
async function attempt(action) {
  retry = () => attempt(action);
  try {
    if (!scene.skeleton) await loadModel();
    await action();
  } catch (error) {
    showError(error);
  }
}

async function loadModel() {
  const found = await model();
  scene.setSkeleton(found);
  part("model").textContent = [found.pose_model, found.detector].filter(Boolean).join(" with ");
}

function openFile(file) {
  fileName = file.name ? file.name.replace(/\.[^.]*$/, "") : "poses";
  return attempt(() => (file.type.startsWith("video/") ? openVideo(file) : openImage(file)));
}

async function openImage(file) {
  const signal = reset();
  say("Working…");
  const start = performance.now();
  const [picture, answer] = await Promise.all([pictureOf(file), poses(file, signal)]);
  if (signal.aborted) return;
  show(picture, answer.width, answer.height, answer.people);
  setResult(answer);
  say(`${counted(answer.people)}, ${Math.round(performance.now() - start)} ms${answer.people_left_out ? "; others are left out" : ""}`);
}

async function openVideo(file) {
  const signal = reset();
  part("stop").hidden = false;
  part("progress").hidden = false;
  part("progress").removeAttribute("value");
  say("Uploading…");
  let first = null;
  const answer = await poseVideo(file, (state, done, total) => {
    if (signal.aborted) return;
    if (state === "queued" || !done) {
      say(state === "queued" ? "Waiting for other videos…" : "Starting…");
      return;
    }
    first ??= { time: performance.now(), done };
    const seconds = (performance.now() - first.time) / 1000;
    const rate = seconds > 0 ? `, ${((done - first.done) / seconds).toFixed(1)} frames/s` : "";
    if (total) part("progress").value = done / total;
    say(`Frame ${done}${total ? ` of ${total}` : ""}${rate}`);
  }, signal);
  if (signal.aborted) return;
  part("progress").hidden = true;
  setResult(answer);
  const seen = new Set(answer.frames.flatMap((frame) => frame.people.map((person) => person.id)));
  const summary = `${answer.frames.length} frames, ${seen.size} ${seen.size === 1 ? "person" : "people"}`;
  say(summary);
  const rate = new Rate();
  stopShowing = await playVideo(video, file, answer, (picture, frame) => {
    if (!frame) return;
    rate.step();
    show(picture, answer.width, answer.height, frame.people);
    say(`${summary}; frame ${frame.frame}, ${rate.text}`);
  });
  part("play").hidden = false;
  part("play").textContent = "Pause";
}

async function openCamera() {
  const signal = reset();
  fileName = "webcam";
  const stream = await openWebcam(video, facing);
  stopShowing = () => {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  if (signal.aborted) {
    stopShowing();
    return;
  }
  part("stop").hidden = false;
  part("turn").hidden = false;
  const rate = new Rate();
  try {
    await watch(video, poses, (picture, answer) => {
      rate.step();
      show(picture, answer.width, answer.height, answer.people);
      setResult(answer);
      say(`${counted(answer.people)}, ${rate.text}`);
    }, signal);
  } finally {
    if (!signal.aborted) { // an error: the camera's light must not stay on
      stopShowing();
      stopShowing = () => {};
    }
  }
}

function download() {
  const address = URL.createObjectURL(new Blob([JSON.stringify(result)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${fileName}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function point(event) {
  const found = scene.pointAt(event.clientX, event.clientY);
  scene.highlight(found);
  const tip = part("tip");
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = `${found.name} ${found.point[2].toFixed(2)}`;
  const frame = part("stage").getBoundingClientRect();
  const left = Math.min(found.x - frame.left + 12, frame.width - tip.offsetWidth - 4);
  tip.style.left = `${Math.max(left, 0)}px`;
  tip.style.top = `${Math.max(found.y - frame.top - tip.offsetHeight - 8, 0)}px`;
}

function connect() {
  part("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // so that the same file can be chosen again
    if (file) openFile(file);
  });
  part("webcam").addEventListener("click", () => attempt(openCamera));
  part("turn").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    attempt(openCamera);
  });
  part("stop").addEventListener("click", reset);
  part("play").addEventListener("click", () => {
    if (video.paused) video.play();
    else video.pause();
    part("play").textContent = video.paused ? "Play" : "Pause";
  });
  part("download").addEventListener("click", download);
  part("threshold").addEventListener("input", (event) => {
    scene.threshold = Number(event.target.value);
    part("threshold-value").textContent = scene.threshold.toFixed(2);
    scene.paint();
  });
  for (const kind of ["pointermove", "pointerdown"]) part("canvas").addEventListener(kind, point);
  part("canvas").addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return; // a finger leaves at once, and the name should stay
    scene.highlight(null);
    part("tip").hidden = true;
  });
  part("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(part("key").value.trim());
    part("key").value = "";
    part("key-form").hidden = true;
    part("error").hidden = true;
    retry?.();
  });
  const stage = part("stage");
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      stage.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => stage.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) openFile(file);
    else showError(new Error("no file was dropped: drop an image or a video"));
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
    if (file) openFile(file);
  });
}

connect();
attempt(async () => {});
