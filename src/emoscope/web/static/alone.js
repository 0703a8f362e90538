// @ts-check
// The picture alone, to be embedded.

import "./timeline.js";
