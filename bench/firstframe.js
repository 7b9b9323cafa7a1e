// Runs before a page's own scripts: notes when the join button is pressed, and when the pictures of others appear.
;(() => {
  const remote = new Set()
  const NativeConnection = window.RTCPeerConnection
  const shownAt = []
  let clickedAt = null
  let enough = () => {}

  /** Milliseconds from the click to the first picture of each of so many others, in the order in which they came. */
  window.firstFrames = (others) =>
    new Promise((resolve) => {
      enough = () => shownAt.length >= others && resolve(shownAt.map((at) => at - clickedAt))
      enough()
    })

  window.RTCPeerConnection = class extends NativeConnection {
    constructor(...configuration) {
      super(...configuration)
      this.addEventListener('track', ({ track }) => remote.add(track.id))
    }
  }

  addEventListener(
    'click',
    ({ target }) => {
      if (target.closest?.('[data-testid="join-now"]')) clickedAt = performance.now()
    },
    true,
  )

  const watched = new WeakSet()
  function look() {
    for (const video of document.querySelectorAll('video')) {
      const track = video.srcObject?.getVideoTracks()[0]
      if (!track || !remote.has(track.id) || watched.has(video)) continue
      watched.add(video)
      video.requestVideoFrameCallback((now) => {
        shownAt.push(now)
        enough()
      })
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()
