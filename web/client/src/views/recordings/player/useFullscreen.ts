/** An iPhone shows only the film itself in full, and by names of its own. */
type Film = HTMLVideoElement & { webkitEnterFullscreen?: () => void; webkitExitFullscreen?: () => void }

interface Fullscreen {
  toggle: () => void
  /** Let the page be seen: the film alone neither fills the screen nor floats above other windows. */
  leaveFilm: () => void
}

/** The player over the whole screen: its frame with controls and all, or else the film. */
export function useFullscreen(film: () => Film | null, frame: () => HTMLElement | null): Fullscreen {
  return {
    toggle() {
      const box = frame()
      if (document.fullscreenElement) void document.exitFullscreen()
      else if (box?.requestFullscreen) void box.requestFullscreen().catch(() => undefined)
      else film()?.webkitEnterFullscreen?.()
    },
    leaveFilm() {
      if (document.pictureInPictureElement) void document.exitPictureInPicture()
      film()?.webkitExitFullscreen?.()
    },
  }
}
