// Plays one playlist as any web page would, does what the test asks for, and tells what it sees.
//
// The page asks for one command after the other and posts an answer to each; what happens in between
// is posted as events. It judges nothing: that is the test's.
"use strict";

const video = document.querySelector("video");
const hls = new Hls();

/** How many columns the strip at the top of the picture has; the test knows what they mean. */
const COLUMNS = 16;
/** Which part of the picture's height the strip is. */
const STRIP = 1 / 8;

/** Longer than any picture is shown, and shorter than a few of them. */
const PICTURE_SECONDS = 0.1;
/** How many pixels each column becomes, so that one can be read away from its edges. */
const SCALE = 8;

const canvas = document.createElement("canvas");
canvas.width = COLUMNS * SCALE;
canvas.height = SCALE;
const pencil = canvas.getContext("2d", { willReadFrequently: true });

/** The strips of the pictures that were shown since the last answer. */
const shown = [];
/** The time of the one that was shown last. */
let latest = -Infinity;

function post(path, what) {
  const headers = { "content-type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(what) });
}

/** The brightness of each column of the strip, as it is shown now. */
function strip() {
  if (video.videoWidth === 0) return [];
  const { width, height } = canvas;
  pencil.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * STRIP, 0, 0, width, height);
  const pixels = pencil.getImageData(0, height / 2, width, 1).data;
  return Array.from({ length: COLUMNS }, (_, column) => pixels[(column + 0.5) * SCALE * 4]);
}

function ranges(of) {
  return Array.from({ length: of.length }, (_, index) => [of.start(index), of.end(index)]);
}

function state() {
  const quality = video.getVideoPlaybackQuality();
  return {
    date: hls.playingDate?.getTime() ?? null,
    shown: shown.splice(0),
    strip: strip(),
    width: video.videoWidth,
    height: video.videoHeight,
    buffered: ranges(video.buffered),
    duration: Number.isFinite(video.duration) ? video.duration : null,
    decoded: quality.totalVideoFrames,
    corrupted: quality.corruptedVideoFrames,
    ended: video.ended,
  };
}

function happens(name) {
  return new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
}

/** Waits for the next picture that is shown. */
function nextPicture() {
  return new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) => {
    latest = mediaTime;
    resolve();
  }));
}

/** Waits for the picture of the current time: on its way there, a browser may show others. */
async function pictureIsShown() {
  while (Math.abs(latest - video.currentTime) > PICTURE_SECONDS) await nextPicture();
}

/** What does not come within this time is not waited for, so that the test can say what came instead. */
function patience() {
  return new Promise((resolve) => setTimeout(resolve, 20_000));
}

/** Where in the player's own time an instant (milliseconds since 1970) is, by the playlist's dates. */
function timeOf(date) {
  const { fragments } = hls.latestLevelDetails;
  const fragment = fragments.findLast((each) => each.programDateTime <= date);
  return fragment.start + (date - fragment.programDateTime) / 1000;
}

const commands = {
  state() {},
  async load({ playlist }) {
    const loaded = happens("loadeddata");
    hls.loadSource(playlist);
    await Promise.race([loaded, patience()]);
    latest = -Infinity;
  },
  async play({ rate }) {
    video.playbackRate = rate;
    await video.play();
  },
  async seek({ date }) {
    video.pause();
    const seeked = happens("seeked");
    video.currentTime = timeOf(date);
    await Promise.race([seeked.then(pictureIsShown), patience()]);
  },
};

hls.on(Hls.Events.ERROR, (_, { details, fatal, reason, error }) => {
  post("/event", { kind: "error", details, fatal, reason: reason ?? String(error) });
});
hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
  const segments = details.fragments.map((fragment) => ({
    number: fragment.sn,
    discontinuities: fragment.cc,
    date: fragment.programDateTime,
    address: fragment.relurl,
  }));
  post("/event", { kind: "loaded", live: details.live, segments });
});
video.addEventListener("error", () => {
  post("/event", { kind: "error", details: "video", fatal: true, reason: video.error.message });
});
window.addEventListener("unhandledrejection", ({ reason }) => {
  post("/event", { kind: "error", details: "page", fatal: true, reason: String(reason) });
});

async function watch() {
  for (;;) {
    await nextPicture();
    shown.push(strip());
  }
}

async function obey() {
  for (;;) {
    const { name, ...values } = await (await fetch("/command")).json();
    await commands[name](values);
    await post("/answer", state());
  }
}

hls.loadSource(new URLSearchParams(location.search).get("playlist"));
hls.attachMedia(video);
watch();
obey();
