/**
 * What is asked of a browser for a microphone and for a camera.
 *
 * @typedef {import("./inventory.js").DeviceEntry} DeviceEntry
 * @typedef {import("./preferences.js").Choices} Choices
 */

/** 720p is what a call on one screen shows; more only costs the other side's network. @type {MediaTrackConstraints} */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/**
 * @param {Pick<Choices, "noiseSuppression" | "echoCancellation">} choices
 * @param {DeviceEntry | null} device null: the one that the system uses
 * @returns {MediaTrackConstraints}
 */
export function microphoneConstraints({ noiseSuppression, echoCancellation }, device) {
  return { noiseSuppression, echoCancellation, autoGainControl: true, ...named(device) };
}

/**
 * @param {DeviceEntry | null} device null: the one that looks at the person
 * @returns {MediaTrackConstraints}
 */
export function cameraConstraints(device) {
  return device ? { ...CAMERA, ...named(device) } : { ...CAMERA, facingMode: "user" };
}

/**
 * Like `getUserMedia`, but a chosen device that is gone at this moment is replaced by the system's.
 *
 * @param {MediaDevices} devices
 * @param {{audio?: MediaTrackConstraints, video?: MediaTrackConstraints}} constraints
 * @returns {Promise<MediaStream>}
 */
export async function openDevices(devices, constraints) {
  try {
    return await devices.getUserMedia(constraints);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "OverconstrainedError") throw error;
    const anyOf = Object.entries(constraints).map(([kind, { deviceId: _chosen, ...rest }]) => [kind, rest]);
    return devices.getUserMedia(Object.fromEntries(anyOf));
  }
}

/**
 * Demanded: Chromium takes the system's one when it is only asked for another.
 *
 * @param {DeviceEntry | null} device
 * @returns {MediaTrackConstraints}
 */
function named(device) {
  return device ? { deviceId: { exact: device.id } } : {};
}
