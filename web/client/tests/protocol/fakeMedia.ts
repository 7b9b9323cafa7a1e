import { FakeMediaStreamTrack } from 'fake-mediastreamtrack'
import { Device, type types } from 'mediasoup-client'
import { generateLocalDtlsParameters, generateNativeRtpCapabilities } from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'

import type { PeerInfo } from '@/protocol/rooms/messages'

/** What stands for the browser's connection of a transport. */
export type Connection = Pick<FakeHandler, 'setConnectionState'>

const fake = FakeHandler.createFactory({ generateNativeRtpCapabilities, generateLocalDtlsParameters })

/** A device without a browser; `connections` gets those of its transports, in the order of their making. */
export const fakeDevice = (connections: Connection[] = []): types.Device =>
  new Device({
    handlerFactory: {
      ...fake,
      factory: (options) => {
        const made = fake.factory(options)
        connections.push(made as unknown as FakeHandler)
        return made
      },
    },
  })

export const track = (kind: 'audio' | 'video'): MediaStreamTrack => new FakeMediaStreamTrack({ kind })

export const other = (...sources: ('camera' | 'microphone')[]): PeerInfo => ({
  peerId: 'other',
  displayName: '李明',
  role: 'participant',
  producers: sources.map((source) => ({
    producerId: `other-${source}`,
    kind: source === 'camera' ? 'video' : 'audio',
    source,
    paused: false,
  })),
})
