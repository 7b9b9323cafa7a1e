import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'

import { INTERRUPTED_MS } from '@/views/room/media/interruptions'
import { useLocalMedia, type LocalMedia } from '@/views/room/media/useLocalMedia'

type Kind = 'audio' | 'video'
type Answer = (tracks: MediaStreamTrack[] | Error) => Promise<void>

let scope: EffectScope
let media: LocalMedia
/** The browser's prompts that nobody has answered yet, the oldest first. */
let prompts: Answer[]
let asked: MediaStreamConstraints[]
let lost: string[]
let plugged: Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]
let page: EventTarget & { visibilityState: string }

const track = (kind: Kind): MediaStreamTrack => new FakeMediaStreamTrack({ kind })

function ask(
  constraints: MediaStreamConstraints,
): Promise<Pick<MediaStream, 'getVideoTracks' | 'getAudioTracks'>> {
  asked.push(constraints)
  return new Promise((resolve, reject) => {
    prompts.push(async (tracks) => {
      if (tracks instanceof Error) reject(tracks)
      else {
        const of = (kind: Kind) => () => tracks.filter((one) => one.kind === kind)
        resolve({ getVideoTracks: of('video'), getAudioTracks: of('audio') })
      }
      await new Promise((done) => setImmediate(done))
    })
  })
}

/** Answers the oldest prompt, and lets the page take note of it. */
async function answer(...tracks: MediaStreamTrack[]): Promise<void> {
  await prompts.shift()?.(tracks)
}

async function refuse(name = 'NotAllowedError'): Promise<void> {
  await prompts.shift()?.(new DOMException('by the person', name))
}

beforeEach(() => {
  prompts = []
  asked = []
  vi.stubGlobal('window', { isSecureContext: true, RTCPeerConnection: Object })
  vi.stubGlobal('matchMedia', () => ({ matches: false }))
  const mediaDevices = Object.assign(new EventTarget(), {
    getUserMedia: ask,
    getDisplayMedia: ask,
    enumerateDevices: () => Promise.resolve(plugged),
  })
  vi.stubGlobal('navigator', { mediaDevices })
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('document', page)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  scope = effectScope()
  lost = []
  plugged = []
  const made = scope.run(() => useLocalMedia((mishap, source) => lost.push(`${source} ${mishap}`)))
  if (!made) throw new Error('the scope has ended')
  media = made
})
afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const OPENINGS: [string, Kind, () => unknown][] = [
  ['camera', 'video', () => media.camera.open()],
  ['microphone', 'audio', () => media.microphone.open()],
  ['camera, asked for with the microphone,', 'video', () => media.openBoth()],
  ['microphone, asked for with the camera,', 'audio', () => media.openBoth()],
  ['screen', 'video', () => media.openScreen()],
]

test.each(OPENINGS)('a %s that is allowed after the page was left is closed', async (_, kind, open) => {
  open()
  scope.stop()
  const late = track(kind)
  await answer(late)
  expect(late.readyState).toBe('ended')
})

test.each(OPENINGS)('a %s that runs is closed when the page is left', async (_, kind, open) => {
  open()
  const running = track(kind)
  await answer(running)
  expect(running.readyState).toBe('live')
  scope.stop()
  expect(running.readyState).toBe('ended')
})

test('the sound of a screen is closed with it', async () => {
  void media.openScreen()
  media.closeScreen()
  const late = [track('video'), track('audio')]
  await answer(...late)
  expect(late.map((one) => one.readyState)).toEqual(['ended', 'ended'])
  expect(media.screen.value).toBeNull()
})

test('who leaves while both are asked for, and refuses, is not asked for each by itself', async () => {
  void media.openBoth()
  scope.stop()
  await refuse()
  expect(prompts).toEqual([])
})

test('who stays and refuses both is asked for each by itself', async () => {
  void media.openBoth()
  await refuse()
  await refuse()
  const microphone = track('audio')
  await answer(microphone)
  expect([media.camera.problem.value, media.camera.on.value]).toEqual(['denied', false])
  expect(media.microphone.track.value).toBe(microphone)
})

test.each([
  ['camera', 'video'],
  ['microphone', 'audio'],
] as const)(
  'a %s that ends by itself, as in a page asleep, is off and the person is told',
  async (device, kind) => {
    void media[device].open()
    const running = new FakeMediaStreamTrack({ kind })
    await answer(running)
    running.remoteStop()
    expect([media[device].on.value, media[device].problem.value, lost]).toEqual([
      false,
      'lost',
      [`${device} lost`],
    ])
  },
)

test('a camera that was stopped while another was being opened stays off', async () => {
  void media.camera.open()
  await answer(track('video'))
  void media.camera.choose('another')
  media.camera.close()
  const another = track('video')
  await answer(another)
  expect([another.readyState, media.camera.on.value]).toEqual(['ended', false])
  expect(media.camera.track.value).toBeNull()
})

test('a microphone that was muted while another was being opened stays muted', async () => {
  void media.microphone.open()
  await answer(track('audio'))
  void media.microphone.choose('another')
  media.microphone.on.value = false
  const another = track('audio')
  await answer(another)
  expect(media.microphone.track.value).toBe(another)
  expect(media.microphone.on.value).toBe(false)
})

test('a muted microphone gives way to the one that is chosen, and stays muted', async () => {
  void media.microphone.open()
  const before = track('audio')
  await answer(before)
  media.microphone.on.value = false
  void media.microphone.choose('another')
  const another = track('audio')
  await answer(another)
  expect(media.microphone.track.value).toBe(another)
  expect([media.microphone.on.value, before.readyState]).toEqual([false, 'ended'])
})

test.each(['camera', 'microphone'] as const)(
  'a %s that is off is not opened by choosing another, which is the one that is opened later',
  (device) => {
    void media[device].choose('another')
    expect([prompts, media[device].deviceId.value]).toEqual([[], 'another'])
    void media[device].open()
    const constraints = asked.at(-1)?.[device === 'camera' ? 'video' : 'audio']
    expect(constraints).toMatchObject({ deviceId: { exact: 'another' } })
  },
)

test('choosing another camera after the first could not be opened opens it', async () => {
  void media.camera.open()
  await refuse()
  void media.camera.choose('another')
  const another = track('video')
  await answer(another)
  expect(media.camera.track.value).toBe(another)
  expect([media.camera.on.value, media.camera.problem.value]).toEqual([true, null])
})

test('the microphone that is chosen is asked for and no other, and any where it has gone', async () => {
  void media.microphone.open()
  await answer(track('audio'))
  void media.microphone.choose('another')
  expect(asked.at(-1)?.audio).toMatchObject({ deviceId: { exact: 'another' } })
  await refuse('OverconstrainedError')
  expect(asked.at(-1)?.audio).not.toHaveProperty('deviceId')
  const any = track('audio')
  await answer(any)
  expect(media.microphone.track.value).toBe(any)
})

test('of two cameras chosen one after the other the later one counts, whichever comes first', async () => {
  void media.camera.open()
  await answer(track('video'))
  void media.camera.choose('first')
  void media.camera.choose('second')
  const [first, second] = [track('video'), track('video')]
  const later = prompts.pop()
  await later?.([second])
  await answer(first)
  expect(media.camera.track.value).toBe(second)
  expect([first.readyState, second.readyState]).toEqual(['ended', 'live'])
})

test('a camera that was turned off while it was asked for brings no complaint when it is refused', async () => {
  void media.camera.open()
  media.camera.close()
  await refuse()
  expect([media.camera.problem.value, media.camera.opening.value]).toEqual([null, false])
})

test('trying once more asks for what could not be had alone: who muted himself stays so', async () => {
  void media.openBoth()
  await refuse()
  await refuse()
  await answer(track('audio'))
  media.microphone.close()
  void media.retry()
  expect(asked.at(-1)).toMatchObject({ audio: false })
  await answer(track('video'))
  expect([media.camera.on.value, media.microphone.on.value, prompts]).toEqual([true, false, []])
})

test('where neither could be had, trying once more asks once for both', async () => {
  void media.openBoth()
  await refuse()
  await refuse() // the camera by itself
  await refuse() // and the microphone
  void media.retry()
  await answer(track('video'), track('audio'))
  expect([media.camera.on.value, media.microphone.on.value, prompts]).toEqual([true, true, []])
})

test.each(['camera', 'microphone'] as const)(
  'who refuses first and allows the %s later has a choice of devices then',
  async (device) => {
    const kind = device === 'camera' ? 'videoinput' : 'audioinput'
    plugged = [{ kind, deviceId: '', label: '' }]
    void media[device].open()
    await refuse()
    plugged = [{ kind, deviceId: 'desk', label: 'On the desk' }]
    void media[device].open()
    await answer(track(device === 'camera' ? 'video' : 'audio'))
    const choices = device === 'camera' ? media.devices.cameras : media.devices.microphones
    expect(choices.value).toEqual([{ id: 'desk', label: 'On the desk' }])
  },
)

function show(visibilityState: 'visible' | 'hidden'): void {
  page.visibilityState = visibilityState
  page.dispatchEvent(new Event('visibilitychange'))
}

async function running(device: 'camera' | 'microphone'): Promise<FakeMediaStreamTrack> {
  void media[device].open()
  const opened = new FakeMediaStreamTrack({ kind: device === 'camera' ? 'video' : 'audio' })
  await answer(opened)
  return opened
}

const DEVICES = ['camera', 'microphone'] as const

test.each(DEVICES)(
  'a %s silenced by the system is said to be, and is on as it comes back',
  async (device) => {
    const opened = await running(device)
    opened.remoteMute()
    vi.advanceTimersByTime(INTERRUPTED_MS - 1)
    expect([media[device].on.value, lost]).toEqual([true, []])
    vi.advanceTimersByTime(1)
    expect([media[device].on.value, lost]).toEqual([false, [`${device} paused`]])
    expect([prompts, opened.readyState]).toEqual([[], 'live']) // the person himself may have done it
    show('hidden')
    show('visible')
    vi.advanceTimersByTime(INTERRUPTED_MS)
    expect([prompts, lost]).toEqual([[], [`${device} paused`]])
    opened.remoteUnmute()
    expect(media[device].on.value).toBe(true)
  },
)

test.each(DEVICES)(
  'a %s that a call silenced for good is opened anew when the page is back',
  async (device) => {
    const opened = await running(device)
    opened.remoteMute()
    show('hidden')
    vi.advanceTimersByTime(60_000)
    expect([prompts, media[device].on.value]).toEqual([[], true])
    show('visible')
    vi.advanceTimersByTime(INTERRUPTED_MS)
    const another = track(device === 'camera' ? 'video' : 'audio')
    await answer(another)
    expect([media[device].track.value, media[device].on.value]).toEqual([another, true])
    expect([opened.readyState, lost]).toEqual(['ended', []])
  },
)

test('a camera that is silent only while its page is hidden is left alone', async () => {
  const opened = await running('camera')
  show('hidden')
  opened.remoteMute()
  show('visible')
  opened.remoteUnmute()
  vi.advanceTimersByTime(INTERRUPTED_MS)
  expect([prompts, media.camera.on.value]).toEqual([[], true])
})

test('a microphone that cannot be opened anew after a call is off, and the person is told', async () => {
  const opened = await running('microphone')
  show('hidden')
  opened.remoteMute()
  show('visible')
  vi.advanceTimersByTime(INTERRUPTED_MS)
  await refuse('NotReadableError')
  expect([media.microphone.on.value, media.microphone.problem.value]).toEqual([false, 'busy'])
  expect(lost).toEqual(['microphone paused'])
})

test('a microphone that is silent anew after it was opened anew is not asked for again and again', async () => {
  const opened = await running('microphone')
  show('hidden')
  opened.remoteMute()
  show('visible')
  vi.advanceTimersByTime(INTERRUPTED_MS)
  await answer(new FakeMediaStreamTrack({ kind: 'audio', muted: true }))
  vi.advanceTimersByTime(10 * INTERRUPTED_MS)
  expect([prompts, media.microphone.on.value, lost]).toEqual([[], false, ['microphone paused']])
})

test('who is muted and silenced by the system hears nothing of it, and unmuting opens the microphone anew', async () => {
  const opened = await running('microphone')
  media.microphone.on.value = false
  show('hidden')
  opened.remoteMute()
  show('visible')
  vi.advanceTimersByTime(INTERRUPTED_MS)
  expect([prompts, lost]).toEqual([[], []])
  void media.microphone.open()
  const another = track('audio')
  await answer(another)
  expect([media.microphone.track.value, media.microphone.on.value]).toEqual([another, true])
})

test('a second screen takes the place of the first, and none that of a running one', async () => {
  const [first, second] = [track('video'), track('video')]
  void media.openScreen()
  void media.openScreen()
  void media.openScreen()
  await answer(first)
  await answer(second)
  await refuse()
  expect(media.screen.value?.screen).toBe(second)
  expect([first.readyState, second.readyState]).toEqual(['ended', 'live'])
})
