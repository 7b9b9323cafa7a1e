/** Longer than any disk needs for the head of a file; some have it at their end. */
const PATIENCE_MS = 5_000

/** Seconds; undefined where this browser cannot tell, as of most of what cameras and television write. */
export function filmLength(file: File): Promise<number | undefined> {
  return new Promise((resolve) => {
    const video = document.createElement('video')
    const address = URL.createObjectURL(file)
    const end = (): void => {
      clearTimeout(timer)
      const { duration } = video
      video.onloadedmetadata = video.onerror = null
      video.removeAttribute('src')
      URL.revokeObjectURL(address)
      resolve(Number.isFinite(duration) ? duration : undefined)
    }
    const timer = setTimeout(end, PATIENCE_MS)
    video.onloadedmetadata = video.onerror = end
    video.preload = 'metadata'
    video.src = address
  })
}
