import type { types } from 'mediasoup-client'

import { againInMs } from '../line'
import { asProblem, Problem } from '../problem'

import type { Ask, Direction, Source } from './messages'
import { PathKeeper, type PathEvents } from './path'
import { toldOfRed } from './redundancy'

export interface KeptTransport {
  transport: types.Transport
  keeper: PathKeeper
}

/** What is heard once the line is back, and until then looked for so often. */
const AWAY = new Set(['connection_lost', 'not_joined'])
const AWAY_MS = 500

/** What `produce` must tell the server beside the media parameters. */
export interface ProduceData extends types.AppData {
  source: Source
  paused?: boolean
}

/** Makes a transport here and on the server, and keeps its path alive; newer `iceServers` in the answer go before these. */
export async function openTransport(
  device: types.Device,
  ask: Ask,
  direction: Direction,
  iceServers: RTCIceServer[],
  path: PathEvents,
): Promise<KeptTransport> {
  const answer = await ask('createTransport', { direction })
  const options = { iceServers, ...answer }
  const transport =
    direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options)

  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    connect(transport, ask, dtlsParameters, path.onGone).then(done, failed)
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
  const keeper = new PathKeeper(transport, ask, path)
  return { transport, keeper }
}

/**
 * Asks until it is answered. To be refused this is more than mediasoup-client's connection can bear: the browser keeps the
 * section it has made for the track, and everything that is sent afterwards is one section short.
 */
async function connect(
  transport: types.Transport,
  ask: Ask,
  dtlsParameters: types.DtlsParameters,
  onGone: () => void,
): Promise<void> {
  while (!transport.closed) {
    try {
      await ask('connectTransport', { transportId: transport.id, dtlsParameters })
      return
    } catch (error) {
      const problem = asProblem(error)
      const wait = AWAY.has(problem.code) ? AWAY_MS : againInMs(problem)
      if (problem.code === 'transport_not_found') onGone()
      if (wait === null) throw error
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
  throw new Problem('connection_lost')
}
