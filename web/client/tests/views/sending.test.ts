import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRenderer, effectScope, type App, type EffectScope } from 'vue'
import { createI18n } from 'vue-i18n'

import { session, visit, visitEachTest } from '../protocol/visit'

import { useSending, type Sending } from '@/views/room/call/useSending'
import { INTERRUPTED_MS } from '@/views/room/media/interruptions'
import { LOCAL_MEDIA, useLocalMedia } from '@/views/room/media/useLocalMedia'

let app: App<object>
let scope: EffectScope
let sending: Sending
/** What the browser has opened, the newest last. */
let opened: FakeMediaStreamTrack[]

/** Vue without a page. */
const { createApp } = createRenderer<object, object>({
  createElement: () => ({}),
  createText: () => ({}),
  createComment: () => ({}),
  insert: () => undefined,
  remove: () => undefined,
  patchProp: () => undefined,
  setText: () => undefined,
  setElementText: () => undefined,
  parentNode: () => null,
  nextSibling: () => null,
})

function open({
  audio,
}: MediaStreamConstraints): Promise<Pick<MediaStream, 'getVideoTracks' | 'getAudioTracks'>> {
  const track = new FakeMediaStreamTrack({ kind: audio ? 'audio' : 'video' })
  opened.push(track)
  return Promise.resolve({
    getVideoTracks: () => (audio ? [] : [track]),
    getAudioTracks: () => (audio ? [track] : []),
  })
}

visitEachTest()
beforeEach(() => {
  opened = []
  vi.stubGlobal('window', { isSecureContext: true, RTCPeerConnection: Object })
  vi.stubGlobal('matchMedia', () => ({ matches: false }))
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  const enumerateDevices = (): Promise<[]> => Promise.resolve([])
  const mediaDevices = Object.assign(new EventTarget(), { getUserMedia: open, enumerateDevices })
  vi.stubGlobal('navigator', { mediaDevices })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  app = createApp({
    setup() {
      sending = useSending(session)
      return () => null
    },
  })
  app.use(createPinia()).use(createI18n({ legacy: false, locale: 'en', missingWarn: false }))
  scope = effectScope()
  const media = scope.run(() => useLocalMedia(() => undefined))
  if (media) app.provide(LOCAL_MEDIA, media)
  app.mount({})
})
afterEach(() => {
  app.unmount()
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a microphone goes on and off by its button', async () => {
  await sending.toggleMicrophone()
  await visit.serverHas({ microphone: 'on' })
  await sending.toggleMicrophone()
  await visit.serverHas({ microphone: 'paused' })
  await sending.toggleMicrophone()
  await visit.serverHas({ microphone: 'on' })
  expect(opened).toHaveLength(1)
})

test.each([
  ['microphone', () => sending.toggleMicrophone()],
  ['camera', () => sending.toggleCamera()],
] as const)(
  'a %s that the system keeps silent is off for the others, and its button opens it anew',
  async (kind, press) => {
    await press()
    await visit.serverHas({ [kind]: 'on' })
    opened[0]?.remoteMute()
    vi.advanceTimersByTime(INTERRUPTED_MS)
    await visit.serverHas({ [kind]: 'paused' })
    await press()
    await visit.serverHas({ [kind]: 'on' })
    expect(opened).toHaveLength(2)
    expect(sending.media[kind].track.value).toBe(opened[1])
  },
)
