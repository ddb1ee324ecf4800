/**
 * The page of one call: one context, and the parts of the page that are given it, each in a module of its own. They draw
 * what the session says, and pass on what the person does.
 *
 * @typedef {import("../ui/call/context.js").CallContext} CallContext
 */
import { readBoot } from "../boot.js";
import { startAfterwards } from "../ui/call/afterwards.js";
import { startAudioFirst } from "../ui/call/audio_first.js";
import { startAwake } from "../ui/call/awake.js";
import { startCaptions } from "../ui/call/captions.js";
import { startChat } from "../ui/call/chat.js";
import { isRunning, onPhase } from "../ui/call/context.js";
import { startControls } from "../ui/call/controls.js";
import { startDialogue } from "../ui/call/dialogue.js";
import { startHand } from "../ui/call/hand.js";
import { startHeard } from "../ui/call/heard.js";
import { startLeaving } from "../ui/call/leaving.js";
import { startLockScreen } from "../ui/call/lock_screen.js";
import { startMore } from "../ui/call/more.js";
import { startMuteRequests } from "../ui/call/mute_requests.js";
import { SidePanel } from "../ui/call/panel.js";
import { startPeople } from "../ui/call/people.js";
import { startPicture } from "../ui/call/picture.js";
import { startProblems } from "../ui/call/problems.js";
import { startPushToTalk } from "../ui/call/push_to_talk.js";
import { startQuality } from "../ui/call/quality.js";
import { startRecording } from "../ui/call/recording.js";
import { startRecordings } from "../ui/call/recordings.js";
import { startRinging } from "../ui/call/ringing.js";
import { startRoadmap } from "../ui/call/roadmap.js";
import { startSharing } from "../ui/call/sharing.js";
import { Shortcuts } from "../ui/call/shortcuts.js";
import { startSound } from "../ui/call/sound.js";
import { startStage } from "../ui/call/stage.js";
import { startStatus } from "../ui/call/status.js";
import { startVoices } from "../ui/call/voices.js";
import { startWhy } from "../ui/call/why.js";
import { startTranscript } from "../ui/call/transcript.js";
import { WITHOUT_CAMERA } from "../ui/call_address.js";
import { need } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";

const boot = /** @type {CallContext["boot"]} */ (readBoot());
const shell = startShell(boot, {
  callHere: boot.call.call_id,
  busy: () => isRunning(session),
  beforeAnswer: () => session.hangUp(),
});
const { session, media } = shell.client.room(boot.call, boot.leg_id, location.hash !== WITHOUT_CAMERA);
const panel = new SidePanel();
const shortcuts = new Shortcuts(() => isRunning(session));

/** @type {CallContext} */
const context = { boot, shell, session, media, page: need("#call"), panel, shortcuts };

onPhase(session, (phase) => {
  if (phase === "ended") panel.close();
});
startPicture(context, startStage(context));
startVoices(context);
startStatus(context);
const problems = startProblems(context);
startControls(context, problems);
startLeaving(context, problems);
startPushToTalk(context);
startSound(context);
startAudioFirst(context);
startLockScreen(context, problems);
startRinging(context);
startAfterwards(context);
startAwake(context);
startPeople(context);
startChat(context);
startMuteRequests(context);
startSharing(context);
startHand(context);
startWhy(context, startQuality(context));
startHeard(context);
startRecording(context, startRecordings(context));
startCaptions(context);
startTranscript(context);
startRoadmap(context);
startDialogue(context);
startMore(context);

session.start();
shell.start();
