package event

// Names of interactions: what people do with content, accounts and products on platforms, and in shops. Where the e-commerce specification
// of Segment has a name it is that one. The content is named by its id on the platform in the property content_id, the platform by
// platform; a share by share_id, which the address that was shared carries along.
const (
	ContentViewed    = "Content Viewed"
	ContentLiked     = "Content Liked"
	ContentCommented = "Content Commented" // comment: the text
	ContentShared    = "Content Shared"    // share_id
	ContentSaved     = "Content Saved"     // put among the favourites
	LiveWatched      = "Live Stream Watched"
	AccountFollowed  = "Account Followed" // account
	AccountLeft      = "Account Unfollowed"
	ShareOpened      = "Share Opened" // share_id: somebody came by what somebody shared
	BrandMentioned   = "Brand Mentioned"
	ProductShared    = "Product Shared"   // product_id, share_id
	CartShared       = "Cart Shared"      // share_id
	ProductReviewed  = "Product Reviewed" // product_id, rating of 5, review_body
	MessageReceived  = "Message Received" // from the customer
	MessageSent      = "Message Sent"     // to the customer
	CallMade         = "Call Made"        // minutes, direction in or out
	StoreVisited     = "Store Visited"    // store_id, minutes, staff
	ItemTried        = "Item Tried On"    // product_id, size
	CouponUsed       = "Coupon Applied"   // coupon_id
)

// Interactions are the names of what counts as an interaction with content. To view it is none: that is what interactions are measured
// against.
func Interactions() []string {
	return []string{ContentLiked, ContentCommented, ContentShared, ContentSaved, LiveWatched}
}

// Elsewhere are the names of what happens in shops, on the phone and on platforms. Without a page of one's own beside it none of them is part of
// a visit to a website.
func Elsewhere() []string {
	return []string{ContentViewed, ContentLiked, ContentCommented, ContentShared, ContentSaved, LiveWatched, AccountFollowed, AccountLeft, BrandMentioned, MessageReceived, MessageSent,
		CallMade, StoreVisited, ItemTried}
}

// Shares are the names by which something is passed on. What comes of it names it by share_id, by ref, or by utm_content of the address.
func Shares() []string { return []string{ContentShared, ProductShared, CartShared} }
