import Hls from 'hls.js/light'

/** Before somebody presses play, so much is fetched: a picture, not the film. */
const IDLE_SECONDS = 6
const AHEAD_SECONDS = 30
const BEHIND_SECONDS = 60

export interface StreamEvents {
  /** The size that is shown now. */
  shown: (height: number) => void
  /** It does not go on by itself. */
  broken: () => void
}

/** A stream that our script feeds to a player, in a module of its own because few pages need it. */
export class Stream {
  private readonly hls: Hls
  private mended = false
  private asked = false
  private closed = false

  /** `address` of the master playlist; `query` goes with every file; begins at `at` seconds. */
  constructor(video: HTMLVideoElement, address: string, query: string, at: number, events: StreamEvents) {
    const withQuery = (url: string): string => `${url.replace(/[?].*/, '')}${query}`
    this.hls = new Hls({
      enableWorker: false, // fragmented MP4 goes to the browser as it comes
      preferManagedMediaSource: false,
      capLevelToPlayerSize: true,
      startPosition: at || -1,
      maxBufferLength: IDLE_SECONDS,
      maxMaxBufferLength: IDLE_SECONDS, // else it fetches to its bound of bytes: minutes of a small size
      backBufferLength: BEHIND_SECONDS,
      xhrSetup: (request, url) => request.open('GET', withQuery(url), true),
    })
    this.hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => {
      events.shown(this.hls.levels[level]?.height ?? 0)
    })
    this.hls.on(Hls.Events.ERROR, (_, { fatal, type, details, response, frag }) => {
      const code = response?.code ?? 0
      const refused = code >= 400 && code < 500 // asking again, or for another size, does not help
      if (!fatal && !refused) {
        const silent = details === Hls.ErrorDetails.FRAG_LOAD_ERROR && response?.code === 0
        if (silent && frag && !this.asked) void this.ask(withQuery(frag.url), events.broken)
        return
      }
      if (type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
        this.mended = true
        this.hls.recoverMediaError()
      } else events.broken()
    })
    this.hls.loadSource(address)
    this.hls.attachMedia(video)
  }

  /**
   * A script is not told whether the line is broken or a store's own rules keep its answer from scripts. A request that
   * wants no answer is answered all the same by such a store; then asking again for half a minute does not help either.
   */
  private async ask(url: string, hidden: () => void): Promise<void> {
    this.asked = true
    const enough = new AbortController()
    const answer = await fetch(url, { mode: 'no-cors', signal: enough.signal }).catch(() => null)
    enough.abort()
    if (answer?.type === 'opaque' && !this.closed) hidden()
  }

  static supported = (): boolean => Hls.isSupported()

  /** Null: whatever the line bears. What is on its way is shown to its end, then the new size. */
  choose(height: number | null): void {
    const pick = (): void => {
      this.hls.nextLevel = height === null ? -1 : this.hls.levels.findIndex((one) => one.height === height)
    }
    if (this.hls.levels.length) pick()
    else this.hls.once(Hls.Events.MANIFEST_PARSED, pick)
  }

  /** It is being watched: fetch ahead. */
  hurry(): void {
    this.hls.config.maxBufferLength = this.hls.config.maxMaxBufferLength = AHEAD_SECONDS
  }

  close(): void {
    this.closed = true
    this.hls.destroy()
  }
}
