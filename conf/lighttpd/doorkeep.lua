-- Run by mod_magnet for each request, before the gate has been asked and
-- after it: what doorkeep says about the person goes to the applications as
-- headers, and doorkeep's own cookies do not go to them at all.

local told = {
	REMOTE_USER = "Remote-User", REMOTE_GROUPS = "Remote-Groups",
	REMOTE_NAME = "Remote-Name", REMOTE_EMAIL = "Remote-Email",
	DOORKEEP_SESSION = "Remote-Session",
}
local ours = { X_REMOTE_USER = true, REMOTE_SESSION = true }
for variable in pairs(told) do
	ours[variable] = true
end

local header, environment = lighty.r.req_header, lighty.r.req_env

-- Only doorkeep may say these, however they are written: lighttpd makes one
-- variable of Remote-User, Remote_User and remote.user.
local forged = {}
for name in pairs(header) do
	if ours[name:upper():gsub("[^A-Z0-9]", "_")] then
		forged[#forged + 1] = name
	end
end
for _, name in ipairs(forged) do
	header[name] = nil
end

-- The gate has let it through.
if environment["DOORKEEP_GATE"] == "passed" then
	for variable, name in pairs(told) do
		header[name] = environment[variable]
	end
	header["X-Remote-User"] = environment["REMOTE_USER"]

	local kept = {}
	for pair in (header["Cookie"] or ""):gmatch("[^;]+") do
		pair = pair:match("^%s*(.-)%s*$")
		local name = pair:match("^([^=]*)")
		name = name:gsub("^__Host%-", ""):gsub("^__Secure%-", "")
		if pair ~= "" and name ~= "doorkeep" and
		    not name:match("^doorkeep%-[a-z]+$") then
			kept[#kept + 1] = pair
		end
	end
	header["Cookie"] = #kept > 0 and table.concat(kept, "; ") or nil
end
return 0
