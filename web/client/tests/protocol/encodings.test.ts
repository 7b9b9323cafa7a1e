import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import type { types } from 'mediasoup-client'
import { expect, test } from 'vitest'

import { limitLayers, producerOptions } from '@/protocol/rooms/encodings'

/** A browser's sender, as far as its parameters go. */
function sending(encodings: RTCRtpEncodingParameters[]): types.Producer {
  let parameters = { encodings, transactionId: '1' } as RTCRtpSendParameters
  const rtpSender = {
    getParameters: () => structuredClone(parameters),
    setParameters(next: RTCRtpSendParameters) {
      parameters = next
      return Promise.resolve()
    },
  }
  return { closed: false, rtpSender } as unknown as types.Producer
}

const active = (producer: types.Producer): boolean[] | undefined =>
  producer.rtpSender?.getParameters().encodings.map((encoding) => encoding.active ?? true)

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

test.each([
  [0, [true, false, false]],
  [1, [true, false, false]],
  [2, [true, true, false]],
  [3, [true, true, true]],
])('with %i sizes wanted the others are not sent', async (count, expected) => {
  const producer = sending([{ rid: 'q' }, { rid: 'h' }, { rid: 'f' }])
  await limitLayers(producer, 0)
  await limitLayers(producer, count)
  expect(active(producer)).toEqual(expected)
})
