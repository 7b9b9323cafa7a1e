import { EventEmitter } from 'node:events'

import type { types } from 'mediasoup-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { LayerLimit, REST_AFTER_MS } from '@/protocol/rooms/layerLimit'

/** A browser's sender of three sizes, as far as its parameters go. */
function sending(): types.Producer {
  const encodings = [{ rid: 'q' }, { rid: 'h' }, { rid: 'f' }]
  let parameters = { encodings, transactionId: '1' } as RTCRtpSendParameters
  const rtpSender = {
    getParameters: () => structuredClone(parameters),
    setParameters(next: RTCRtpSendParameters) {
      parameters = next
      return Promise.resolve()
    },
  }
  return { closed: false, observer: new EventEmitter(), rtpSender } as unknown as types.Producer
}

let producer: types.Producer
let limit: LayerLimit
const sizes = (): number | undefined =>
  producer.rtpSender?.getParameters().encodings.filter(({ active }) => active).length

beforeEach(() => {
  vi.useFakeTimers()
  producer = sending()
  limit = new LayerLimit(producer)
})
afterEach(() => vi.useRealTimers())

test.each([1, 2, 3])('of %i sizes that are looked at all are sent, and no others', (count) => {
  limit.want(3 - count)
  limit.want(count)
  expect(sizes()).toBe(count)
  expect(producer.rtpSender?.getParameters().encodings[0]?.active).toBe(true)
})

test('the smallest goes on for a while when nobody looks, then nothing is sent until somebody does', () => {
  limit.want(0)
  vi.advanceTimersByTime(REST_AFTER_MS - 1)
  limit.want(0) // as after a resume: it is no new beginning
  expect(sizes()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(sizes()).toBe(0)
  limit.want(0)
  expect(sizes()).toBe(0)
  limit.want(2)
  expect(sizes()).toBe(2)
})

test('whoever looks again in time finds it never gone', () => {
  limit.want(0)
  vi.advanceTimersByTime(REST_AFTER_MS - 1)
  limit.want(1)
  vi.advanceTimersByTime(REST_AFTER_MS)
  expect(sizes()).toBe(1)
})

test('of a producer that is closed nothing is left to run', () => {
  limit.want(0)
  producer.observer.emit('close')
  expect(vi.getTimerCount()).toBe(0)
})
