import { onScopeDispose, reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

import { capture, type Captured } from '../room/media/capture'
import { environmentProblem, mediaProblem, type MediaProblem } from '../room/media/problems'

import {
  devicesStep,
  freshSteps,
  troubles,
  verdict,
  type Step,
  type StepName,
  type Steps,
  type Verdict,
} from './steps'
import { testPicture } from './testPicture'

import { useProblemText } from '@/lib/problemText'
import { ConnectionTest, type Begun } from '@/protocol/connection-test/client'
import type { Loop } from '@/protocol/connection-test/loop'
import type { Quality } from '@/protocol/connection-test/quality'
import { isDirect, serversOf, WAYS, type Way } from '@/protocol/connection-test/ways'
import { NETWORK_UNREACHABLE, TIMED_OUT, asProblem } from '@/protocol/problem'

/** The first way that works is what a meeting would use: so long until the estimate has found what the line bears. */
const MEASURE_SECONDS = 6
/** Of the others only whether, and how well. */
const LOOK_SECONDS = 2

interface Running {
  steps: Steps
  busy: Ref<boolean>
  /** 0 to 1, of the measurement. */
  share: Ref<number>
  result: ShallowRef<Verdict | null>
  port: Ref<number>
  microphone: ShallowRef<MediaStreamTrack | null>
  camera: ShallowRef<MediaStreamTrack | null>
  run: () => Promise<void>
}

/** Runs the steps; what one finds does not stop those that make sense without it. */
export function useConnectionTest(): Running {
  const { locale } = useI18n()
  const problemText = useProblemText()
  const steps = reactive(freshSteps())
  const busy = ref(false)
  const share = ref(0)
  const port = ref(0)
  const result = shallowRef<Verdict | null>(null)
  const microphone = shallowRef<MediaStreamTrack | null>(null)
  const camera = shallowRef<MediaStreamTrack | null>(null)
  let test: ConnectionTest | null = null
  let picture: ReturnType<typeof testPicture> | null = null
  /** Nobody sees it any more: what is opened still is closed at once. */
  let over = false

  const put = (name: StepName, step: Step): void => void (steps[name] = step)

  function cleanUp(): void {
    test?.close()
    picture?.stop()
    test = picture = null
  }
  function stopDevices(): void {
    for (const device of [microphone, camera]) {
      device.value?.stop()
      device.value = null
    }
  }
  onScopeDispose(() => {
    over = true
    cleanUp()
    stopDevices()
  })

  async function run(): Promise<void> {
    busy.value = true
    result.value = null
    share.value = 0
    stopDevices()
    Object.assign(steps, freshSteps())
    let quality: Quality | null = null
    try {
      if (lookAtBrowser()) {
        await openDevices()
        const begun = over ? null : await reachServer()
        if (begun && !over) quality = await tryWays(begun)
      }
    } finally {
      cleanUp()
      for (const step of Object.values(steps)) if (step.state === 'waiting') step.state = 'skipped'
      result.value = verdict(steps, quality ? troubles(quality) : [])
      busy.value = false
    }
  }

  function lookAtBrowser(): boolean {
    const able = 'RTCPeerConnection' in window && 'WebSocket' in window
    put('browser', able ? { state: 'good', text: 'good' } : { state: 'bad', text: 'bad' })
    put('secure', window.isSecureContext ? { state: 'good', text: 'good' } : { state: 'bad', text: 'bad' })
    return able
  }

  async function openDevices(): Promise<void> {
    put('devices', { state: 'running' })
    const problem = environmentProblem()
    const { devices, why } = problem ? { devices: {}, why: problem } : await captured()
    microphone.value = devices.microphone ?? null
    camera.value = devices.camera ?? null
    if (over) stopDevices()
    put('devices', devicesStep(devices, why))
  }

  async function reachServer(): Promise<Begun | null> {
    put('server', { state: 'running' })
    test = new ConnectionTest(locale.value)
    try {
      const way = await test.connect()
      const begun = await test.begin()
      port.value = begun.mediaPort
      put(
        'server',
        way === 'websocket' ? { state: 'good', text: 'good' } : { state: 'warn', text: 'polling' },
      )
      return begun
    } catch (error) {
      const silent = [NETWORK_UNREACHABLE, TIMED_OUT].includes(asProblem(error).code)
      put('server', {
        state: 'bad',
        text: silent ? 'bad' : 'refused',
        values: { why: problemText(error) },
      })
      return null
    }
  }

  /** All ways are opened together, so that what is shut is waited for once; then each has the line for itself. */
  async function tryWays(begun: Begun): Promise<Quality | null> {
    picture = testPicture()
    let quality: Quality | null = null
    if (begun.relay === 'available') put('relay', { state: 'absent' })
    else put('relay', { state: 'skipped', text: begun.relay })
    const openings = new Map<Way, Promise<Loop | null>>()
    for (const way of WAYS) {
      const absent = absence(begun, way)
      put(way, absent ?? { state: 'running' })
      if (absent || !test) continue
      const opening = test.open(way, picture.track)
      opening.catch(() => undefined) // it is told when it is this way's turn
      openings.set(way, opening)
    }
    for (const [way, opening] of openings) {
      const seen = await tryWay(way, opening, quality === null)
      quality ??= seen
    }
    if (!quality) put('quality', { state: 'skipped' })
    return quality
  }

  /** What a way bears; null where it does not carry. */
  async function tryWay(way: Way, opening: Promise<Loop | null>, first: boolean): Promise<Quality | null> {
    let loop: Loop | null = null
    try {
      loop = await opening
      if (loop && (await loop.echoes())) return await measure(loop, way, first)
      put(way, { state: 'bad', text: loop ? 'noEcho' : 'noPath', values: { port: port.value } })
    } catch {
      put(way, { state: 'skipped', text: 'interrupted' })
    } finally {
      await loop?.close()
    }
    return null
  }

  async function measure(loop: Loop, way: Way, first: boolean): Promise<Quality> {
    if (first) put('quality', { state: 'running' })
    const quality = first
      ? await loop.measure(MEASURE_SECONDS, (done) => void (share.value = done))
      : await loop.measure(LOOK_SECONDS)
    const values = {
      frames: quality.frames,
      roundTrip: quality.roundTripMs,
      jitter: quality.jitterMs,
      lossUp: (quality.lossUp * 100).toFixed(1),
      lossDown: (quality.lossDown * 100).toFixed(1),
      up: quality.upKbps,
      down: quality.downKbps,
    }
    put(way, { state: 'good', text: 'good', values })
    if (first)
      put('quality', { state: troubles(quality).length > 0 ? 'warn' : 'good', text: 'figures', values })
    return quality
  }

  return { steps, busy, share, result, port, microphone, camera, run }
}

/** Why a way is not tried; null where it is. */
function absence(begun: Begun, way: Way): Step | null {
  if (isDirect(way)) return begun.protocols.includes(way) ? null : { state: 'skipped', text: 'off' }
  return serversOf(way, begun.iceServers).length > 0 ? null : { state: 'absent' }
}

/** Both devices, or the one there is, and why it is not both. */
async function captured(): Promise<{ devices: Captured; why: MediaProblem | null }> {
  let why: MediaProblem | null = null
  for (const wanted of [{ camera: '', microphone: '' }, { microphone: '' }, { camera: '' }]) {
    try {
      return { devices: await capture(wanted), why }
    } catch (error) {
      why ??= mediaProblem(error)
    }
  }
  return { devices: {}, why }
}
