// @ts-check
// Geometry of the map: a window on the plane of places, nearest point, points inside a lasso.

/**
 * Places of recordings, one entry each.
 * @typedef {object} Places
 * @property {number[]} x from −1 to 1
 * @property {number[]} y from −1 to 1, upwards
 */

/**
 * Which part of the plane is seen: its middle, and how much nearer than all of it.
 * @typedef {{x: number, y: number, zoom: number}} Window
 */

/** @typedef {{width: number, height: number}} Size */

/** @type {Readonly<Window>} */
export const WHOLE = Object.freeze({ x: 0, y: 0, zoom: 1 });
const ZOOM_MAX = 40;
const EDGE = 18; // pixels that stay free around all points

/**
 * Pixels per unit of the plane.
 * @param {Size} size
 * @param {number} zoom
 */
export const scale = ({ width, height }, zoom) => (Math.min(width, height) / 2 - EDGE) * zoom;

/**
 * Pixels at which a place is drawn.
 * @param {number} x
 * @param {number} y
 * @param {Window} view
 * @param {Size} size
 */
export function onScreen(x, y, view, size) {
  const unit = scale(size, view.zoom);
  return [size.width / 2 + (x - view.x) * unit, size.height / 2 - (y - view.y) * unit];
}

/**
 * The window after zooming at a pixel, which keeps its place.
 * @param {Window} view
 * @param {Size} size
 * @param {number} factor
 * @param {[number, number]} at pixel
 * @returns {Window}
 */
export function zoomed(view, size, factor, [px, py]) {
  const zoom = Math.min(ZOOM_MAX, Math.max(1, view.zoom * factor));
  if (zoom === 1) return { ...WHOLE };
  const [before, after] = [scale(size, view.zoom), scale(size, zoom)];
  const x = view.x + (px - size.width / 2) * (1 / before - 1 / after);
  const y = view.y - (py - size.height / 2) * (1 / before - 1 / after);
  return { x: clamp(x), y: clamp(y), zoom };
}

/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(-1, value));

/**
 * The nearest of the shown points within some pixels, or −1.
 * @param {Places} places
 * @param {(at: number) => boolean} isShown
 * @param {Window} view
 * @param {Size} size
 * @param {[number, number]} pixel
 * @param {number} reach pixels
 */
export function nearest(places, isShown, view, size, [px, py], reach) {
  let found = -1;
  let least = reach * reach;
  for (let at = 0; at < places.x.length; at += 1) {
    const [x, y] = onScreen(places.x[at], places.y[at], view, size);
    const far = (x - px) ** 2 + (y - py) ** 2;
    if (far <= least && isShown(at)) [found, least] = [at, far];
  }
  return found;
}

/**
 * Whether a point lies inside a polygon (even-odd rule).
 * @param {number} x
 * @param {number} y
 * @param {[number, number][]} polygon
 */
export function inside(x, y, polygon) {
  let is = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is;
  }
  return is;
}

/**
 * The shown points inside a lasso, in their order.
 * @param {Places} places
 * @param {(at: number) => boolean} isShown
 * @param {Window} view
 * @param {Size} size
 * @param {[number, number][]} lasso pixels
 */
export function lassoed(places, isShown, view, size, lasso) {
  const found = [];
  for (let at = 0; at < places.x.length; at += 1) {
    const [x, y] = onScreen(places.x[at], places.y[at], view, size);
    if (isShown(at) && inside(x, y, lasso)) found.push(at);
  }
  return found;
}
