// Runs before a page's own scripts: keeps every RTCPeerConnection the page makes, so that its statistics can be read,
// and every WebSocket, so that a test can cut it.
;(() => {
  const connections = new Set()
  const sockets = new Set()
  const unplugged = new Map()
  const NativeConnection = window.RTCPeerConnection
  const NativeSocket = window.WebSocket

  window.RTCPeerConnection = class extends NativeConnection {
    constructor(...configuration) {
      super(...configuration)
      connections.add(this)
    }
  }
  window.WebSocket = class extends NativeSocket {
    constructor(...address) {
      if (window.measured.networkCut) address = ['ws://127.0.0.1:9/'] // nobody listens there
      super(...address)
      sockets.add(this)
    }
  }

  /** The statistics of one type, of all connections that are there; Firefox has none of a closed one. */
  async function reports(type) {
    const there = [...connections].filter(({ signalingState }) => signalingState !== 'closed')
    const all = await Promise.all(there.map((connection) => connection.getStats()))
    return all.flatMap((report) => [...report.values()]).filter((one) => one.type === type)
  }

  /** What arrives and is decoded now, by the peer whose element shows or sounds it. */
  async function received() {
    const peers = {}
    const elements = [...document.querySelectorAll('video[data-peer-id], audio[data-peer-id]')]
    const of = new Map(
      elements.flatMap((element) =>
        (element.srcObject?.getTracks() ?? []).map((track) => [
          track.id,
          { peer: element.dataset.peerId, source: element.dataset.source, element },
        ]),
      ),
    )
    for (const report of await reports('inbound-rtp')) {
      const shown = of.get(report.trackIdentifier)
      if (!shown) continue
      const peer = (peers[shown.peer] ??= {})
      peer[shown.source] = {
        framesDecoded: report.framesDecoded ?? 0,
        width: shown.element.videoWidth ?? 0,
        energy: report.totalAudioEnergy ?? 0,
        packetsLost: report.packetsLost ?? 0,
        copies: report.packetsDiscarded ?? 0,
        playing: !shown.element.paused,
      }
    }
    return peers
  }

  window.measured = {
    reports,
    received,
    networkCut: false,
    cut() {
      window.measured.networkCut = true
      for (const socket of sockets) socket.close()
    },
    mend() {
      window.measured.networkCut = false
    },
    /** Nothing of this kind is sent any more, as by a cable that came loose; the page does not know. Whether there was any. */
    async unplug(kind) {
      const senders = [...connections].flatMap((connection) => connection.getSenders())
      const loose = senders.filter(({ track }) => track?.kind === kind)
      for (const sender of loose) {
        unplugged.set(sender, sender.track)
        await sender.replaceTrack(null)
      }
      return loose.length > 0
    },
    /** All of it is sent again. */
    async plugIn() {
      for (const [sender, track] of unplugged) await sender.replaceTrack(track)
      unplugged.clear()
    },
    /** How the own voice is sent: the audio section that the browser was answered with. */
    voiceAnswer() {
      const answers = [...connections].map((connection) => connection.remoteDescription)
      const sections = answers.flatMap((one) => (one?.type === 'answer' ? one.sdp.split(/^(?=m=)/m) : []))
      return sections.find((section) => section.startsWith('m=audio')) ?? ''
    },
    /** How many connections carry. */
    connected: () => [...connections].filter((one) => one.connectionState === 'connected').length,
    /** Frames of the own camera that were encoded, in its largest size. */
    async framesSent() {
      return Math.max(0, ...(await reports('outbound-rtp')).map(({ framesEncoded }) => framesEncoded ?? 0))
    },
    /** Sizes of the own pictures that are sent now. */
    async sizesSent() {
      return (await reports('outbound-rtp')).filter(({ kind, active }) => kind === 'video' && active).length
    },
  }
})()
