const FRAMES_PER_SECOND = 20
const BLOCK = 16

/** A picture that never repeats, so that the encoder uses what the line gives. Not the camera: nothing private is sent. */
export function testPicture(): { track: MediaStreamTrack; stop: () => void } {
  const canvas = document.createElement('canvas')
  canvas.width = 640
  canvas.height = 360
  const paint = canvas.getContext('2d')
  const timer = setInterval(() => {
    for (let x = 0; x < canvas.width; x += BLOCK)
      for (let y = 0; y < canvas.height; y += BLOCK) {
        if (!paint || Math.random() < 0.5) continue
        paint.fillStyle = `hsl(${Math.random() * 360} 60% 50%)`
        paint.fillRect(x, y, BLOCK, BLOCK)
      }
  }, 1000 / FRAMES_PER_SECOND)
  const track = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0]
  if (!track) throw new Error('A canvas gives a picture')
  return {
    track,
    stop: () => {
      clearInterval(timer)
      track.stop()
    },
  }
}
