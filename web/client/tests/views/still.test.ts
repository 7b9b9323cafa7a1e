import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, shallowRef, type EffectScope, type Ref } from 'vue'

import { useStill } from '@/views/room/call/useStill'

const SECOND = 1000
const STILL_SECONDS = 12
let scope: EffectScope
let page: { hidden: boolean }
let still: Readonly<Ref<boolean>>
let frames: number
let awaited: boolean

const element = shallowRef({
  getVideoPlaybackQuality: () => ({ totalVideoFrames: frames }),
} as HTMLVideoElement)

beforeEach(() => {
  vi.useFakeTimers()
  page = { hidden: false }
  vi.stubGlobal('document', page)
  frames = 0
  awaited = true
  scope = effectScope()
  scope.run(() => (still = useStill(element, () => awaited)))
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function pass(seconds: number, framesASecond = 0): void {
  for (let second = 0; second < seconds; second += 1) {
    frames += framesASecond
    vi.advanceTimersByTime(SECOND)
  }
}

test('a picture that moves is not still, however slowly', () => {
  pass(3 * STILL_SECONDS, 1)
  expect(still.value).toBe(false)
})

test.each([
  ['never began', 0],
  ['stopped', 5],
])('a picture that %s is still after twelve seconds, and no more once it moves', (_what, before) => {
  pass(before, 5)
  pass(STILL_SECONDS - 1)
  expect(still.value).toBe(false)
  pass(1)
  expect(still.value).toBe(true)
  pass(1, 1)
  expect(still.value).toBe(false)
})

const RESTS: [string, (rests: boolean) => unknown][] = [
  ['nobody awaits it', (rests) => (awaited = !rests)],
  ['the page is behind another', (rests) => (page.hidden = rests)],
]
test.each(RESTS)('it need not move while %s, and has its whole time afterwards', (_while, rest) => {
  rest(true)
  pass(3 * STILL_SECONDS)
  expect(still.value).toBe(false)
  rest(false)
  pass(STILL_SECONDS - 1)
  expect(still.value).toBe(false)
  pass(1)
  expect(still.value).toBe(true)
})

test('nobody looks for a component that is gone', () => {
  scope.stop()
  expect(vi.getTimerCount()).toBe(0)
})
