import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'

import { variantsOf, wayOf, type Quality, type Variant } from './quality'
import type { Stream } from './stream'

import { asProblem } from '@/protocol/problem'
import type { Recording } from '@/protocol/http/recordingShapes'
import { useApi } from '@/services'

/** After a failure it is opened again at the same place, so long afterwards; then the viewer is told. */
const RETRY_MS = [300, 1500, 5000]
/** From then on it waits for the server, which may be starting again, or for where it keeps films, and asks so often. */
const PATIENT_MS = 10_000
/** Twice as long as the server itself waits for a store that says nothing (`ahead`), and a little more. */
const SILENT_MS = 25_000
const GONE = [401, 404]
/** Played on for so long, the next failure is a new one. */
const GOES_WELL_MS = 10_000

export interface Source {
  quality: Ref<Quality>
  /** The sizes there are to choose from, largest first. */
  heights: Ref<number[]>
  /** The size that is shown, where that is known. */
  shown: Ref<number | null>
  /** It failed and stands still: until the server, or where it keeps films, answers again, or somebody says so. */
  broken: Ref<'network' | 'store' | 'film' | null>
  choose: (quality: Quality) => void
  again: () => void
  /** The server refuses this recording elsewhere: see what has become of it. */
  look: () => void
  /** The element's events. */
  loaded: () => void
  moved: () => void
  playing: () => void
  /** It has not gone on for so long that the viewer reads of it. */
  stalled: () => void
  failed: () => void
}

interface SourceEvents {
  /** The film was made anew, or is just being made anew. */
  renewed: (now: Recording, at: number) => void
  /** There is no such recording any more, for this viewer at least. */
  gone: (status: number) => void
}

/**
 * Where the film comes from: a stream in several sizes, the file, or the sound alone. Whatever is changed and whatever
 * fails (a line, an address of a store that was good for a while, a film made anew), it goes on at the same place.
 */
export function useSource(
  element: () => HTMLVideoElement | null,
  recording: () => Recording,
  startAt: number,
  events: SourceEvents,
): Source {
  const api = useApi()
  const quality = ref<Quality>('auto')
  const variants = shallowRef<Variant[]>([])
  const shown = ref<number | null>(null)
  const broken = ref<'network' | 'store' | 'film' | null>(null)
  /** The stream does not come through, be it for a store's own rules: the file may. */
  const plain = ref(false)
  const way = computed(() => {
    const feed = 'MediaSource' in globalThis && MediaSource.isTypeSupported('video/mp4; codecs="avc1.4d401f"')
    const stream = Boolean(element()?.canPlayType('application/vnd.apple.mpegurl'))
    return wayOf({ feed, stream }, recording().renditions.includes('hls') && !plain.value)
  })
  let stream: Stream | null = null
  let place = { at: startAt, goesOn: false }
  let loadedAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let stuck: ReturnType<typeof setTimeout> | undefined
  let tries = 0
  /** Failures although the server answers. */
  let refusals = 0
  let turns = 0
  let closed = false

  const query = (): string => `?version=${recording().version}`
  const file = (name: string): string => api.recordingFile(recording().id, name) + query()

  /** Where the viewer is: before the film is there again, that is where he was. */
  function here(): typeof place {
    const video = element()
    if (!video || video.readyState < HTMLMediaElement.HAVE_METADATA)
      return { at: place.at, goesOn: place.goesOn || video?.paused === false }
    return { at: video.currentTime, goesOn: !video.paused }
  }

  async function open(from = here()): Promise<void> {
    const turn = ++turns
    place = from
    keepPlaying()
    settle()
    if (!variants.value.length) void readVariants()
    stream?.close()
    stream = null
    shown.value = null
    const video = element()
    if (!video) return
    const fed = quality.value !== 'sound' && way.value === 'script' && (await feed(video, turn))
    if (fed || turn !== turns || closed) return
    keepPlaying()
    video.src = file(name())
  }

  /** It is not broken, and nothing that was to mend it is to be done any more. */
  function settle(): void {
    clearTimeout(timer)
    clearTimeout(stuck)
    timer = undefined
    broken.value = null
  }

  /** A new address stops the element: who has pressed play, be it while nothing was there, need not press it again. */
  function keepPlaying(): void {
    if (element()?.paused === false) place.goesOn = true
  }

  /** What the browser itself is to play. */
  function name(): string {
    if (quality.value === 'sound') return 'sound'
    if (way.value !== 'native') return 'media'
    const variant = variants.value.find(({ height }) => height === quality.value)
    return `hls/${variant?.playlist ?? 'master.m3u8'}`
  }

  /** Whether that is done, or is not wanted any more; false: the script is not to be had. */
  async function feed(video: HTMLVideoElement, turn: number): Promise<boolean> {
    const module = await import('./stream').catch(() => null)
    if (turn !== turns || closed) return true
    if (!module?.Stream.supported()) {
      plain.value = true
      return false
    }
    const address = api.recordingFile(recording().id, 'hls/master.m3u8')
    stream = new module.Stream(video, address, query(), place.at, {
      shown: (height) => (shown.value = height),
      broken: failed,
    })
    if (typeof quality.value === 'number') stream.choose(quality.value)
    if (place.goesOn) stream.hurry()
    return true
  }

  function choose(next: Quality): void {
    const sound = next === 'sound' || quality.value === 'sound'
    quality.value = next
    if (stream && next !== 'sound') stream.choose(next === 'auto' ? null : next)
    else if (sound || way.value === 'native') void open()
  }

  function failed(): void {
    if (closed || timer !== undefined) return
    place = here()
    const bad = element()?.error?.code === MediaError.MEDIA_ERR_DECODE || refusals > 1
    const why = bad ? 'film' : 'network'
    const wait = RETRY_MS[tries++]
    stream?.close() // asks no more
    if (wait === undefined) broken.value = why
    if (wait !== undefined || why === 'network') retryIn(wait ?? PATIENT_MS)
  }

  function retryIn(wait: number): void {
    timer = setTimeout(() => void retry(), wait)
  }

  async function retry(): Promise<void> {
    const turn = turns
    const found = await find()
    const away = found === 'there' && (await isAway())
    if (found === 'changed' || turn !== turns || closed) return
    if (away) {
      tries = refusals = 0 // nothing is wrong with the film
      broken.value = 'store'
    }
    if (away || (found === 'unknown' && broken.value)) {
      retryIn(PATIENT_MS) // what the viewer reads stays as it is
      return
    }
    if (found === 'there' && ++refusals > 1) plain.value = true
    await open()
  }

  /** Whether the server has the film and nothing of it to give: where films are kept does not answer. */
  async function isAway(): Promise<boolean> {
    const enough = new AbortController()
    const bound = setTimeout(() => enough.abort(), SILENT_MS)
    const wanted: RequestInit = { cache: 'no-store', signal: enough.signal }
    const address = file(name())
    const byte: RequestInit = { ...wanted, headers: { Range: 'bytes=0-0' }, redirect: 'manual' }
    const answer = await fetch(address, byte).catch(() => null)
    let away = answer?.status === 503
    // Of a store of another origin no more is told than that it answers.
    if (answer?.type === 'opaqueredirect')
      away = !(await fetch(address, { ...wanted, mode: 'no-cors' }).catch(() => null))
    clearTimeout(bound)
    enough.abort() // of a film that comes nothing more is wanted
    return away
  }

  /** Browsers and scripts ask again for so long that the viewer hears of it here first; of phones' own, maybe alone. */
  async function stalled(before?: number): Promise<void> {
    const turn = turns
    if (timer !== undefined || !isStuck()) return
    const had = fetched()
    // Of one file something comes all the time: a line that is dead says nothing of it, and no browser asks anew.
    if (isFile() && had === before) {
      failed()
      return
    }
    const away = await isAway()
    if (turn !== turns || closed || !isStuck()) return
    clearTimeout(stuck)
    if (away) failed()
    else stuck = setTimeout(() => void stalled(had), PATIENT_MS)
  }

  const isFile = (): boolean => !stream && ['media', 'sound'].includes(name())

  /** Grows with whatever the browser gets of it, wherever that is in the film. */
  function fetched(): number {
    const ranges = element()?.buffered
    let ends = 0
    for (let part = 0; ranges && part < ranges.length; part++) ends += ranges.end(part)
    return ends
  }

  function isStuck(): boolean {
    const video = element()
    return video?.paused === false && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA
  }

  /** What has become of the recording; where it has changed, the page has been told and takes over. */
  async function find(): Promise<'there' | 'changed' | 'unknown'> {
    const { at } = here()
    try {
      const now = await api.recording(recording().id)
      if (closed) return 'changed'
      if (now.version === recording().version && now.state === recording().state) return 'there'
      tries = refusals = 0
      clearTimeout(timer)
      timer = undefined
      events.renewed(now, at)
    } catch (error) {
      const { status } = asProblem(error)
      if (!GONE.includes(status)) return 'unknown'
      events.gone(status)
    }
    return 'changed'
  }

  function again(): void {
    tries = refusals = 0
    void open({ ...place, goesOn: true })
  }

  async function readVariants(): Promise<void> {
    if (way.value === 'file') return
    const answer = await fetch(file('hls/master.m3u8')).catch(() => null)
    if (answer?.ok) variants.value = variantsOf(await answer.text())
  }

  const backOnLine = (): void => {
    if (broken.value === 'network') again()
  }
  onMounted(() => {
    addEventListener('online', backOnLine)
    void open(place)
  })
  watch(
    () => recording().version,
    () => void open(),
  )
  onBeforeUnmount(() => {
    closed = true
    removeEventListener('online', backOnLine)
    clearTimeout(timer)
    clearTimeout(stuck)
    stream?.close()
  })

  return {
    quality,
    heights: computed(() => (plain.value ? [] : variants.value.map(({ height }) => height))),
    shown,
    broken,
    choose,
    again,
    look: () => void find(),
    failed,
    playing() {
      stream?.hurry()
      if (timer === undefined) return
      turns++ // the browser itself has got on meanwhile
      settle()
    },
    stalled: () => void stalled(),
    moved() {
      const video = element()
      if (!video || video.readyState < HTMLMediaElement.HAVE_METADATA) return
      place.at = video.currentTime
      if (!video.paused && performance.now() - loadedAt > GOES_WELL_MS) tries = refusals = 0
    },
    loaded() {
      const video = element()
      if (!video) return
      if (place.at) video.currentTime = Math.min(place.at, video.duration || place.at)
      if (place.goesOn) void video.play().catch(() => undefined)
      place.goesOn = false
      loadedAt = performance.now()
    },
  }
}
