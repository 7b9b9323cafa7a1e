import { onScopeDispose, reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

import { capture, type Captured } from '../room/media/capture'
import { environmentProblem, mediaProblem } from '../room/media/problems'

import { freshSteps, troubles, verdict, type Step, type StepName, type Steps, type Verdict } from './steps'
import { testPicture } from './testPicture'

import { useProblemText } from '@/lib/problemText'
import { ConnectionTest, type Begun, type Loop, type Way } from '@/protocol/connection-test/client'
import type { Quality } from '@/protocol/connection-test/quality'

const MEASURE_SECONDS = 6

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

/** Runs the steps one after the other; what one finds does not stop those that make sense without it. */
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
        const begun = await reachServer()
        if (begun) quality = await tryWays(begun)
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
    const opened = problem ?? (await captured())
    if (typeof opened === 'string') {
      put('devices', { state: 'bad', text: opened })
      return
    }
    microphone.value = opened.microphone ?? null
    camera.value = opened.camera ?? null
    const both = opened.microphone && opened.camera
    put('devices', {
      state: both ? 'good' : 'warn',
      text: both ? 'good' : opened.microphone ? 'noCamera' : 'noMicrophone',
    })
  }

  async function reachServer(): Promise<Begun | null> {
    put('server', { state: 'running' })
    test = new ConnectionTest(locale.value)
    try {
      await test.open()
      const begun = await test.begin()
      port.value = begun.mediaPort
      put('server', { state: 'good', text: 'good' })
      return begun
    } catch (error) {
      put('server', { state: 'bad', text: 'bad', values: { why: problemText(error) } })
      return null
    }
  }

  async function tryWays(begun: Begun): Promise<Quality | null> {
    picture = testPicture()
    let quality: Quality | null = null
    for (const way of ['udp', 'tcp', 'relay'] as const) {
      const absent = absence(begun, way)
      if (absent) {
        put(way, { state: 'skipped', text: absent })
        continue
      }
      put(way, { state: 'running' })
      const loop = await test?.through(way, picture.track).catch(() => null)
      put(way, { state: loop ? 'good' : 'bad', text: loop ? 'good' : 'bad', values: { port: port.value } })
      if (loop && !quality) quality = await measure(loop, way)
      await loop?.close()
    }
    return quality
  }

  async function measure(loop: Loop, way: Way): Promise<Quality> {
    put('quality', { state: 'running' })
    const quality = await loop.measure(MEASURE_SECONDS, (done) => void (share.value = done))
    put('quality', {
      state: troubles(quality).length > 0 ? 'warn' : 'good',
      text: 'figures',
      values: {
        way: way.toUpperCase(),
        roundTrip: quality.roundTripMs,
        jitter: quality.jitterMs,
        lossUp: (quality.lossUp * 100).toFixed(1),
        lossDown: (quality.lossDown * 100).toFixed(1),
        up: quality.upKbps,
        down: quality.downKbps,
      },
    })
    return quality
  }

  return { steps, busy, share, result, port, microphone, camera, run }
}

const absence = (begun: Begun, way: Way): string | null => {
  if (way === 'relay') return begun.relay === 'available' ? null : begun.relay
  return begun.protocols.includes(way) ? null : 'off'
}

/** Both devices, or the one there is; else why there is none. */
async function captured(): Promise<Captured | string> {
  let why = 'failed'
  for (const wanted of [{ camera: '', microphone: '' }, { microphone: '' }, { camera: '' }]) {
    try {
      return await capture(wanted)
    } catch (error) {
      why = mediaProblem(error)
      if (why === 'denied') return why
    }
  }
  return why
}
