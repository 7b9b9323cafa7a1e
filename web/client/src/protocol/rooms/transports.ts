import type { types } from 'mediasoup-client'

import type { Ask, Direction, Source } from './messages'
import { PathKeeper } from './path'
import { toldOfRed } from './redundancy'

export interface KeptTransport {
  transport: types.Transport
  keeper: PathKeeper
}

/** What `produce` must tell the server beside the media parameters. */
export interface ProduceData extends types.AppData {
  source: Source
  paused?: boolean
}

/** Makes a transport here and on the server, and keeps its path alive; `onGone`: the server no longer has it. */
export async function openTransport(
  device: types.Device,
  ask: Ask,
  direction: Direction,
  iceServers: RTCIceServer[],
  onGone: () => void,
): Promise<KeptTransport> {
  const answer = await ask('createTransport', { direction })
  const options = { ...answer, iceServers }
  const transport =
    direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options)

  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    ask('connectTransport', { transportId: transport.id, dtlsParameters }).then(done, failed)
  })
  transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
    const { source, paused = false } = appData as ProduceData
    const told =
      source === 'microphone' ? toldOfRed(rtpParameters, device.sendRtpCapabilities) : rtpParameters
    ask('produce', { transportId: transport.id, kind, rtpParameters: told, source, paused }).then(
      done,
      failed,
    )
  })
  const keeper = new PathKeeper(transport, ask, onGone)
  return { transport, keeper }
}
