// For screenshots: a camera that shows a drawn person instead of a test pattern, and a quiet voice. The page asks for
// its camera as always; `window.portrait` (set before this runs) says who sits before it.
;(() => {
  const looks = {
    hall: { wall: ['#d9c9b4', '#c3ae93'], coat: '#2f4a68', skin: '#e9bf9b', hair: '#3a3632', grey: true },
    window: { wall: ['#cfdfe6', '#a9c3cf'], coat: '#9a3b3b', skin: '#f0cba8', hair: '#2a2422' },
    village: { wall: ['#dfe3c8', '#bcc59a'], coat: '#4d5b3a', skin: '#d9a57c', hair: '#8d8a86', grey: true },
    student: { wall: ['#e6dcec', '#c5b4d1'], coat: '#3f4b7a', skin: '#f2d0b0', hair: '#1f1b1a', long: true },
    study: { wall: ['#e8d8c8', '#c9ac90'], coat: '#5a4636', skin: '#ebc3a0', hair: '#26211f' },
  }
  const look = looks[window.portrait ?? 'hall']
  const [width, height] = [1280, 720]

  function ellipse(context, x, y, rx, ry, colour) {
    context.fillStyle = colour
    context.beginPath()
    context.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2)
    context.fill()
  }

  function room(context) {
    const wall = context.createLinearGradient(0, 0, width, height)
    wall.addColorStop(0, look.wall[0])
    wall.addColorStop(1, look.wall[1])
    context.fillStyle = wall
    context.fillRect(0, 0, width, height)
    context.fillStyle = 'rgb(255 255 255 / 35%)'
    context.fillRect(90, 70, 230, 330)
    context.fillStyle = 'rgb(90 60 40 / 22%)'
    for (let shelf = 0; shelf < 3; shelf += 1) {
      context.fillRect(960, 150 + shelf * 130, 260, 12)
      for (let book = 0; book < 8; book += 1) context.fillRect(972 + book * 30, 76 + shelf * 130 + (book % 3) * 9, 20, 74 - (book % 3) * 9)
    }
  }

  function person(context, sway) {
    const x = width / 2 + sway
    ellipse(context, x, 790, 330, 270, look.coat)
    if (look.long) ellipse(context, x, 360, 150, 210, look.hair)
    context.fillStyle = look.skin
    context.fillRect(x - 48, 430, 96, 120)
    ellipse(context, x, 345, 118, 148, look.skin)
    context.save()
    context.beginPath()
    context.rect(x - 160, 150, 320, 135)
    context.clip()
    ellipse(context, x, 320, 130, 150, look.grey ? '#8f8b86' : look.hair)
    context.restore()
    for (const side of [-1, 1]) {
      ellipse(context, x + side * 44, 345, 8, 9, '#2b2320')
      context.fillStyle = look.grey ? '#7d7771' : look.hair
      context.fillRect(x + side * 44 - 20, 318, 40, 6)
    }
    context.strokeStyle = '#a8553f'
    context.lineWidth = 6
    context.lineCap = 'round'
    context.beginPath()
    context.arc(x, 398, 34, 0.25 * Math.PI, 0.75 * Math.PI)
    context.stroke()
  }

  function camera() {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d')
    const draw = () => {
      room(context)
      person(context, Math.sin(performance.now() / 900) * 10)
    }
    draw()
    setInterval(draw, 100)
    return canvas.captureStream(10).getVideoTracks()[0]
  }

  function microphone() {
    const audio = new AudioContext()
    const voice = audio.createOscillator()
    const volume = audio.createGain()
    volume.gain.value = window.portrait === 'hall' ? 0.2 : 0.0002
    const out = audio.createMediaStreamDestination()
    voice.connect(volume).connect(out)
    voice.start()
    return out.stream.getAudioTracks()[0]
  }

  function page() {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width: 1600, height: 900 })
    const context = canvas.getContext('2d')
    const draw = () => {
      context.fillStyle = '#fffdf8'
      context.fillRect(0, 0, 1600, 900)
      context.fillStyle = '#9d1c1f'
      context.fillRect(0, 0, 1600, 14)
      context.font = '700 64px "Noto Sans CJK SC"'
      context.fillText('十一月主题党日', 120, 170)
      context.fillStyle = '#241f1c'
      context.font = '44px "Noto Sans CJK SC"'
      const lines = ['一、学习：冬季农田水利与防灾', '二、讨论：怎样帮独居老人过好冬', '三、分工：十二月志愿服务安排', '四、下次会议时间']
      lines.forEach((line, index) => context.fillText(line, 120, 310 + index * 110))
    }
    draw()
    setInterval(draw, 500)
    return canvas.captureStream(5).getVideoTracks()[0]
  }

  navigator.mediaDevices.getUserMedia = async ({ video, audio }) =>
    new MediaStream([...(video ? [camera()] : []), ...(audio ? [microphone()] : [])])
  navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([page()])
})()
