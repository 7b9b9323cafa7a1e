import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import type { types } from 'mediasoup-client'
import { expect, test } from 'vitest'

import { producerOptions } from '@/protocol/rooms/encodings'

const camera = (width: number): types.ProducerOptions =>
  producerOptions('camera', new FakeMediaStreamTrack({ kind: 'video', settings: { width } }))

test.each([
  [1280, 3],
  [640, 2],
])('a camera of %i pixels is sent in %i sizes, each with frames that can be left out', (width, sizes) => {
  const { encodings } = camera(width)
  expect(encodings).toHaveLength(sizes)
  expect(encodings?.every(({ scalabilityMode }) => scalabilityMode === 'L1T3')).toBe(true)
})

test('a shared screen is one picture, sharp', () => {
  const { encodings } = producerOptions('screen', new FakeMediaStreamTrack({ kind: 'video' }))
  expect(encodings).toHaveLength(1)
  expect(encodings?.[0]).not.toHaveProperty('scaleResolutionDownBy')
})
