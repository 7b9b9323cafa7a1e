/** An iPhone shows only the film itself in full, and by names of its own. */
type Film = HTMLVideoElement & { webkitEnterFullscreen?: () => void; webkitExitFullscreen?: () => void }

interface Fullscreen {
  toggle: () => void
  /** Let the page be seen: the film alone neither fills the screen nor floats above other windows. */
  leaveFilm: () => void
  /** Let all of the page be seen, below the player too. */
  leave: () => void
}

/** The player over the whole screen: its frame with controls and all, or else the film. */
export function useFullscreen(film: () => Film | null, frame: () => HTMLElement | null): Fullscreen {
  function leaveFilm(): void {
    if (document.pictureInPictureElement) void document.exitPictureInPicture()
    film()?.webkitExitFullscreen?.()
  }

  return {
    leaveFilm,
    leave() {
      if (document.fullscreenElement) void document.exitFullscreen()
      leaveFilm()
    },
    toggle() {
      const box = frame()
      if (document.fullscreenElement) void document.exitFullscreen()
      else if (box?.requestFullscreen) void box.requestFullscreen().catch(() => undefined)
      else film()?.webkitEnterFullscreen?.()
    },
  }
}
