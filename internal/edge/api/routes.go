package api

import (
	"net/http"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	del   = http.MethodDelete
)

// routes is the one table: method, path, who may, handler, what it does. A line with a right is refused to everyone who does
// not hold it; engines check again what they know better (fields, conditions, versions).
func (a *API) routes() []route {
	return slices.Concat(a.accountRoutes(), a.trustRoutes(), a.passkeyRoutes(), a.providerRoutes(), a.schemaRoutes(), a.formulaRoutes(), a.recordRoutes(), a.rightsRoutes(), a.mergeRoutes(), a.jobRoutes(), a.agendaRoutes(), a.talkRoutes(), a.calendarRoutes(), a.insightRoutes(), a.modelRoutes(), a.webRoutes(), a.socialRoutes(), a.interactionRoutes(), a.valueRoutes(), a.churnRoutes(), a.forecastRoutes(), a.recommendRoutes(), a.webhookRoutes(), a.automationRoutes(), a.mailRoutes(), a.ticketRoutes(), a.letterRoutes(), a.guestRoutes(), a.approvalRoutes(), a.stageRoutes(), a.blueprintRoutes(), a.privacyRoutes(), a.consentRoutes(), a.campaignRoutes(), a.journeyRoutes(), a.offerRoutes(), a.onsiteRoutes(), a.formRoutes(), a.keyRoutes(), a.sourceRoutes(), a.trackingRoutes(), a.behaviourRoutes(), a.localRoutes())
}

func (a *API) accountRoutes() []route {
	return []route{
		{method: get, path: "/openapi.json", need: open, run: op(a.openapi), doc: "This document"},
		{method: get, path: "/setup", need: open, run: op(a.setupState), doc: "Whether the first run is still to come"},
		{method: post, path: "/setup", need: open, run: op(a.setup), doc: "First run: workspace and administrator; signs in", status: http.StatusCreated, secret: true},
		{method: post, path: "/session", need: open, run: op(a.signIn), doc: "Sign in", secret: true},
		{method: del, path: "/session", need: person, run: op(a.signOut), doc: "Sign out", stages: anyStage},
		{method: get, path: "/me", need: signedIn, run: op(a.me), doc: "Who I am and what I may do", stages: anyStage},
		{method: patch, path: "/me", need: person, run: op(a.patchMe), doc: "Change my name, language, theme or password", secret: true},
		{method: get, path: "/users", need: signedIn, run: op(a.listUsers), doc: "People of the workspace"},
		{method: post, path: "/users", need: right, right: access.UserManage, run: op(a.createUser), doc: "Add a person", status: http.StatusCreated},
		{method: patch, path: "/users/{id}", need: right, right: access.UserManage, run: op(a.patchUser), doc: "Change a person's name, role, state or password"},
		{method: get, path: "/apikeys", need: right, right: access.KeyManage, run: op(a.listKeys), doc: "API keys"},
		{method: post, path: "/apikeys", need: right, right: access.KeyManage, run: op(a.createKey), doc: "Make an API key; its secret is shown once", status: http.StatusCreated, secret: true},
		{method: del, path: "/apikeys/{id}", need: right, right: access.KeyManage, run: op(a.revokeKey), doc: "Revoke an API key"},
		{method: get, path: "/audit", need: right, right: access.AuditRead, run: op(a.audit), doc: "Audit trail, newest first"},
		{method: get, path: "/audit/check", need: right, right: access.AuditRead, run: op(a.checkTrail), doc: "Whether the audit trail is as it was recorded: a walk along its chain"},
		{method: get, path: "/audit/export", need: right, right: access.AuditRead, run: op(a.exportTrail), doc: "The audit trail as CSV", stream: true},
		{method: get, path: "/system", need: signedIn, run: op(a.system), doc: "State of the system"},
		{method: get, path: "/demo", need: right, right: access.SystemManage, run: op(a.demoState), doc: "Whether the demo company can be loaded, and how far a load is"},
		{method: post, path: "/demo", need: right, right: access.SystemManage, run: op(a.demo), doc: "Load the demo company into an empty workspace", status: http.StatusAccepted},
		{method: post, path: "/demo/remove", need: right, right: access.SystemManage, run: op(a.removeDemo), doc: "Remove the demo company and nothing else; confirmed with the workspace's name", status: http.StatusAccepted},
		{method: get, path: "/events", need: signedIn, run: op(a.events), doc: "Server-sent events on what changed", stream: true},
		{method: get, path: "/objects", need: right, right: access.RecordRead, run: op(a.listObjects), doc: "All objects with their fields"},
		{method: get, path: "/objects/{object}", need: right, right: access.RecordRead, run: op(a.getObject), doc: "One object"},
		{method: get, path: "/regions", need: signedIn, run: op(a.regions), doc: "Administrative divisions"},
	}
}

func (a *API) recordRoutes() []route {
	return append(append(a.fileRoutes(), a.fieldFileRoutes()...), []route{
		{method: get, path: "/records/{object}", need: right, right: access.RecordRead, run: op(a.listRecords), doc: "A page of records"},
		{method: post, path: "/records/{object}", need: right, right: access.RecordCreate, run: op(a.createRecord), doc: "Create a record", status: http.StatusCreated},
		{method: post, path: "/records/{object}/query", need: right, right: access.RecordRead, run: op(a.queryRecords), doc: "A page of records by condition", secret: true},
		{method: post, path: "/records/{object}/count", need: right, right: access.RecordRead, run: op(a.countRecords), doc: "How many records fulfil a condition", secret: true},
		{method: post, path: "/records/{object}/aggregate", need: right, right: access.RecordRead, run: op(a.aggregate), doc: "Counts and measures by groups", secret: true},
		{method: post, path: "/records/{object}/batch", need: right, right: access.RecordRead, run: op(a.batch), doc: "Up to 1000 writes; each needs its own right", large: true},
		{method: post, path: "/records/{object}/export", need: right, right: access.ExportRun, run: op(a.export), doc: "Records as a file; personal fields stay masked", stream: true, secret: true},
		{method: get, path: "/records/{object}/{id}", need: right, right: access.RecordRead, run: op(a.getRecord), doc: "One record"},
		{method: patch, path: "/records/{object}/{id}", need: right, right: access.RecordUpdate, run: op(a.patchRecord), doc: "Change fields of a record"},
		{method: del, path: "/records/{object}/{id}", need: right, right: access.RecordDelete, run: op(a.deleteRecord), doc: "Move a record to the recycle bin"},
		{method: post, path: "/records/{object}/{id}/restore", need: right, right: access.RecordDelete, run: op(a.restoreRecord), doc: "Take a record out of the recycle bin"},
		{method: post, path: "/records/{object}/{id}/reveal", need: right, right: access.PersonalReveal, run: op(a.reveal), doc: "Personal fields in plain; audited", secret: true},
		{method: get, path: "/records/{object}/{id}/timeline", need: right, right: access.RecordRead, run: op(a.timeline), doc: "What happened to a record"},
		{method: get, path: "/records/{object}/{id}/history", need: right, right: access.RecordRead, run: op(a.history), doc: "Versions of a record"},
		{method: get, path: "/search", need: right, right: access.RecordRead, run: op(a.search), doc: "Find records of all objects"},
		{method: get, path: "/views", need: right, right: access.RecordRead, run: op(a.listViews), doc: "Saved views"},
		{method: post, path: "/views", need: right, right: access.RecordRead, run: op(a.createView), doc: "Save a view", status: http.StatusCreated},
		{method: get, path: "/views/roles", need: right, right: access.RecordRead, run: op(a.viewRoles), doc: "Roles that views can be shared with"},
		{method: get, path: "/views/owners", need: right, right: access.UserManage, run: op(a.viewOwners), doc: "How many views each person has"},
		{method: post, path: "/views/hand-over", need: right, right: access.UserManage, run: op(a.handOverViews), doc: "Give the views of a person who leaves to another one"},
		{method: patch, path: "/views/{id}", need: right, right: access.RecordRead, run: op(a.patchView), doc: "Change a view"},
		{method: post, path: "/views/{id}/default", need: right, right: access.RecordRead, run: op(a.defaultView), doc: "Make a view the one that its object opens with"},
		{method: del, path: "/views/{id}", need: right, right: access.RecordRead, run: op(a.deleteView), doc: "Delete a view"},
		{method: get, path: "/imports", need: right, right: access.ImportRun, run: op(a.listImports), doc: "Imports, newest first"},
		{method: post, path: "/imports", need: right, right: access.ImportRun, run: op(a.upload), doc: "Upload a file to import", status: http.StatusCreated, stream: true},
		{method: get, path: "/imports/{id}", need: right, right: access.ImportRun, run: op(a.getImport), doc: "One import with its progress"},
		{method: patch, path: "/imports/{id}", need: right, right: access.ImportRun, run: op(a.mapImport), doc: "Set the mapping"},
		{method: post, path: "/imports/{id}/start", need: right, right: access.ImportRun, run: op(a.startImport), doc: "Check or run an import"},
		{method: post, path: "/imports/{id}/cancel", need: right, right: access.ImportRun, run: op(a.cancelImport), doc: "Stop an import"},
		{method: post, path: "/imports/{id}/undo", need: right, right: access.ImportRun, run: op(a.undoImport), doc: "Take an import back"},
		{method: get, path: "/imports/{id}/errors", need: right, right: access.ImportRun, run: op(a.importErrors), doc: "Rejected lines as CSV", stream: true},
	}...)
}

func (a *API) insightRoutes() []route {
	return append(slices.Concat(a.segmentRoutes(), a.lifecycleRoutes()), []route{
		{method: get, path: "/customers/{id}/profile", need: right, right: access.RecordRead, run: op(a.profile), doc: "Everything about a customer"},
		{method: get, path: "/home", need: right, right: access.ReportRead, run: op(a.home), doc: "Figures of the business"},
		{method: get, path: "/cohorts", need: right, right: access.ReportRead, run: op(a.cohorts), doc: "Purchase cohorts by month"},
		{method: post, path: "/conditions/check", need: right, right: access.RecordRead, run: op(a.checkCondition), doc: "Check a condition and say it in words", secret: true},
		{method: get, path: "/conditions/events", need: right, right: access.SegmentRead, run: op(a.seenEvents), doc: "What conditions about events may speak of"},
		{method: get, path: "/conditions/events/properties", need: right, right: access.SegmentRead, run: op(a.seenProperties), doc: "Properties of the events of a name"},
		{method: get, path: "/segments", need: right, right: access.SegmentRead, run: op(a.listSegments), doc: "Segments"},
		{method: post, path: "/segments", need: right, right: access.SegmentWrite, run: op(a.createSegment), doc: "Save a segment", status: http.StatusCreated},
		{method: post, path: "/segments/count", need: right, right: access.SegmentRead, run: op(a.countSegment), doc: "How many customers fulfil a condition", secret: true},
		{method: get, path: "/segments/{key}", need: right, right: access.SegmentRead, run: op(a.getSegment), doc: "One segment"},
		{method: patch, path: "/segments/{key}", need: right, right: access.SegmentWrite, run: op(a.patchSegment), doc: "Change a segment"},
		{method: del, path: "/segments/{key}", need: right, right: access.SegmentWrite, run: op(a.deleteSegment), doc: "Delete a segment"},
		{method: get, path: "/segments/{key}/members", need: right, right: access.SegmentRead, run: op(a.segmentMembers), doc: "Customers of a segment"},
		{method: get, path: "/segments/{key}/history", need: right, right: access.SegmentRead, run: op(a.segmentHistory), doc: "Sizes of a segment over time"},
		{method: post, path: "/segments/{key}/refresh", need: right, right: access.SegmentRead, run: op(a.refreshSegment), doc: "Evaluate a segment now"},
		{method: get, path: "/segments/{key}/overlap", need: right, right: access.SegmentRead, run: op(a.segmentOverlap), doc: "How two segments meet"},
		{method: get, path: "/traits", need: right, right: access.SegmentRead, run: op(a.listTraits), doc: "Catalogue of traits"},
		{method: post, path: "/traits/recompute", need: right, right: access.ClassificationEdit, run: op(a.recomputeTraits), doc: "Compute all traits again", status: http.StatusAccepted},
		{method: get, path: "/traits/computed", need: right, right: access.SegmentRead, run: op(a.listComputed), doc: "Traits that the workspace defines"},
		{method: post, path: "/traits/computed", need: right, right: access.ClassificationEdit, run: op(a.createComputed), doc: "Define a trait", status: http.StatusCreated},
		{method: post, path: "/traits/computed/preview", need: right, right: access.SegmentRead, run: op(a.previewComputed), doc: "What a definition of a trait would give", secret: true},
		{method: get, path: "/traits/computed/{key}", need: right, right: access.SegmentRead, run: op(a.getComputed), doc: "One defined trait"},
		{method: patch, path: "/traits/computed/{key}", need: right, right: access.ClassificationEdit, run: op(a.changeComputed), doc: "Change the definition of a trait"},
		{method: del, path: "/traits/computed/{key}", need: right, right: access.ClassificationEdit, run: op(a.deleteComputed), doc: "Delete a defined trait"},
		{method: get, path: "/traits/computed/{key}/uses", need: right, right: access.SegmentRead, run: op(a.usesOfComputed), doc: "What speaks of a defined trait"},
		{method: get, path: "/traits/passes", need: right, right: access.SegmentRead, run: op(a.listPasses), doc: "The last computations of traits over everyone"},
		{method: get, path: "/classifications", need: right, right: access.SegmentRead, run: op(a.listClassifications), doc: "Classifications with sizes"},
		{method: patch, path: "/classifications/{key}", need: right, right: access.ClassificationEdit, run: op(a.patchClassification), doc: "Change a classification"},
		{method: post, path: "/classifications/{key}/preview", need: right, right: access.SegmentRead, run: op(a.previewClasses), doc: "What an edit of classes would do", secret: true},
		{method: get, path: "/classifications/{key}/history", need: right, right: access.SegmentRead, run: op(a.classHistory), doc: "Sizes of classes over time"},
		{method: post, path: "/classifications/{key}/reset", need: right, right: access.ClassificationEdit, run: op(a.resetClassification), doc: "Back to the standard classes"},
		{method: get, path: "/rfm", need: right, right: access.SegmentRead, run: op(a.rfm), doc: "How RFM is cut"},
		{method: post, path: "/rfm/cuts", need: right, right: access.ClassificationEdit, run: op(a.setCuts), doc: "Change how RFM is cut"},
	}...)
}

// localRoutes are for the owner of the data directory alone: the command line, through the socket.
func (a *API) localRoutes() []route {
	return []route{
		{method: post, path: "/local/setup", need: owner, run: op(a.localSetup), doc: "First run from the command line", status: http.StatusCreated, secret: true},
		{method: get, path: "/local/workspaces", need: owner, run: op(a.listWorkspaces), doc: "Organisations of the instance"},
		{method: post, path: "/local/workspaces", need: owner, run: op(a.createWorkspace), doc: "Add an organisation", status: http.StatusCreated},
		{method: post, path: "/local/users/reset-mfa", need: owner, run: op(a.localResetFactor), doc: "Remove the second factor of a person who lost it"},
		{method: post, path: "/local/demo", need: owner, run: op(a.localDemo), doc: "Load the demo company", stream: true, secret: true},
		{method: post, path: "/local/backup", need: owner, run: op(a.localBackup), doc: "Write a backup file", stream: true, secret: true},
		{method: post, path: "/local/rebuild", need: owner, run: op(a.localRebuild), doc: "Build a derived store anew", stream: true, secret: true},
		{method: post, path: "/local/models/{key}/fit", need: owner, run: op(a.localFit), doc: "Fit a model now", stream: true, secret: true},
		{method: post, path: "/local/models/{key}/score", need: owner, run: op(a.localScore), doc: "Write the scores of a model now", stream: true, secret: true},
		{method: post, path: "/local/recompute", need: owner, run: op(a.localRecompute), doc: "Compute traits and classes now", stream: true, secret: true},
		{method: post, path: "/local/doctor", need: owner, run: op(a.localDoctor), doc: "Check the data", stream: true, secret: true},
	}
}

// RouteInfo is one line of the table as others may see it.
type RouteInfo struct {
	Method, Path string
	Need         string // right, signed in, open, person or owner
	Right        string
	Stages       []string // of signing in, at which it may be called besides
}

// Routes is the table.
func (a *API) Routes() []RouteInfo {
	words := map[need]string{right: "right", signedIn: "signed in", open: "open", person: "person", owner: "owner"}
	var out []RouteInfo
	for _, r := range a.table {
		info := RouteInfo{Method: r.method, Path: r.path, Need: words[r.need], Right: string(r.right)}
		for _, s := range r.stages {
			info.Stages = append(info.Stages, string(s))
		}
		out = append(out, info)
	}
	return out
}
