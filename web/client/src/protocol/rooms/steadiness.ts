/** Twice the way there and back to another continent: time enough for what was lost to be asked for and to come again. */
const WAIT_MS = 300

/**
 * On a line that loses packets a picture waits for those that are sent again; else the browser shows each as soon as it
 * can, and leaves out every frame that is not whole yet.
 */
export function steady(receiver: RTCRtpReceiver | undefined, lossy: boolean): void {
  // Browsers that do not know it show what they can.
  if (receiver?.track.kind === 'video' && 'jitterBufferTarget' in receiver)
    receiver.jitterBufferTarget = lossy ? WAIT_MS : null
}
