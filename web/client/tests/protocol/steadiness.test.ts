import { expect, test } from 'vitest'

import { steady } from '@/protocol/rooms/steadiness'

const receiver = (kind: string): RTCRtpReceiver =>
  ({ track: { kind }, jitterBufferTarget: null }) as RTCRtpReceiver

test('pictures wait for what is sent again while the line loses packets, and no longer', () => {
  const picture = receiver('video')
  steady(picture, true)
  expect(picture.jitterBufferTarget).toBe(300)
  steady(picture, false)
  expect(picture.jitterBufferTarget).toBeNull()
})

test('voices, and browsers that cannot wait, are left alone', () => {
  const voice = receiver('audio')
  const older = { track: { kind: 'video' } } as RTCRtpReceiver
  steady(voice, true)
  steady(older, true)
  steady(undefined, true)
  expect(voice.jitterBufferTarget).toBeNull()
  expect('jitterBufferTarget' in older).toBe(false)
})
