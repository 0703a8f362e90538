// @ts-check
// The sound of a figure: play, seek, speed, a selection once or over and over; the cursor follows.

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

export class Player {
  /**
   * @param {HTMLAudioElement} audio
   * @param {number} durationS as it is drawn
   * @param {() => void} moved called whenever the moment that is heard has changed
   */
  constructor(audio, durationS, moved) {
    this.audio = audio;
    this.durationS = durationS;
    this.moved = moved;
    /** @type {number | null} */
    this.stopAt = null;
    /** @type {[from: number, to: number] | null} what is played over and over */
    this.loop = null;
    this.pending = 0;
    for (const name of ["play", "pause", "seeked", "seeking", "timeupdate", "loadedmetadata"]) {
      audio.addEventListener(name, () => this.follow());
    }
  }

  get now() {
    return Math.min(this.durationS, Math.max(0, this.audio.currentTime || 0));
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  /** @param {number} time seconds */
  seek(time) {
    this.stopAt = null;
    if (this.loop && (time < this.loop[0] || time >= this.loop[1])) this.loop = null;
    // The length that is drawn is rounded; the end of the sound is its own.
    const end = this.audio.duration;
    const atEnd = time >= this.durationS && Number.isFinite(end);
    this.audio.currentTime = atEnd ? end : Math.min(this.durationS, Math.max(0, time));
    this.follow();
  }

  play() {
    this.audio.play().catch(() => {}); // the browser may refuse; the button then still says play
  }

  /** @param {number} time seconds */
  playFrom(time) {
    this.seek(time);
    this.play();
  }

  toggle() {
    this.stopAt = null;
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  /** @param {[from: number, to: number]} part seconds */
  playPart([from, to]) {
    this.seek(from);
    this.stopAt = to;
    this.play();
  }

  /**
   * Plays a part over and over, or stops doing so.
   * @param {[from: number, to: number] | null} part seconds
   */
  repeat(part) {
    this.loop = part;
    if (part && (this.now < part[0] || this.now >= part[1])) this.audio.currentTime = part[0];
    this.stopAt = null;
    if (part) this.play();
  }

  /**
   * The next speed, faster or slower.
   * @param {1 | -1} by
   */
  step(by) {
    const at = SPEEDS.indexOf(this.audio.playbackRate) + by;
    this.speed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))]);
  }

  /** @param {number} times */
  speed(times) {
    this.audio.playbackRate = times;
    this.moved();
  }

  follow() {
    cancelAnimationFrame(this.pending);
    const time = this.audio.currentTime || 0;
    if (this.loop && this.isPlaying && time >= this.loop[1]) [this.audio.currentTime] = this.loop;
    if (this.stopAt !== null && time >= this.stopAt) {
      this.stopAt = null;
      this.audio.pause();
    }
    if (this.isPlaying) this.pending = requestAnimationFrame(() => this.follow());
    this.moved();
  }

  stop() {
    this.audio.pause();
    cancelAnimationFrame(this.pending);
  }
}
